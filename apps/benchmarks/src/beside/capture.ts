/** Running a program and keeping what it prints. */
import { spawn } from "node:child_process";

/**
 * Runs a program to its end and returns its standard output; standard error goes to ours, or with `quiet` nowhere. `T0`, its time of start in
 * seconds since 1970, is in its environment. How it ends does not matter: what it printed until then counts, and one
 * that cannot be started printed nothing.
 */
export function capture(
  program: string,
  args: readonly string[],
  { cwd, env, quiet = false }: { cwd?: string; env?: NodeJS.ProcessEnv; quiet?: boolean } = {},
): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env, T0: String(Date.now() / 1000) },
      stdio: ["ignore", "pipe", quiet ? "ignore" : "inherit"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.on("error", ({ message }) => {
      if (!quiet) process.stderr.write(`${message}\n`); // "spawn …/python3 ENOENT"
      resolve(output);
    });
    child.on("close", () => resolve(output));
  });
}
