/** `npm start`: runs the tour in this process. */
import { cli } from "./cli.js";
import { openTerminal } from "./terminal.js";

const terminal = openTerminal(process.stdout);

process.once("SIGINT", () => {
  terminal.close();
  process.stdout.write("\nStopped.\n");
  process.exit(130); // 128 + the signal's number, as shells expect
});

// A reader that has seen enough (`npm start | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await cli(process.argv.slice(2), {
  folder: process.env.INIT_CWD ?? process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  terminal,
});
