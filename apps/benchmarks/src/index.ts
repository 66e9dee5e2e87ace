/** `npm run bench`: measures in this process. */
import { cli } from "./cli.js";

// A reader that has seen enough (`… | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

// Exits at once: worker threads of a backend must not keep the process alive.
process.exit(await cli(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr }));
