/** `memory`: what a plain RNN cannot learn and GRU and LSTM can, and why: the gradients that reach each time step. */
import { gradientNorms } from "@nn/recurrent";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import { drawCurves } from "./curves.js";
import type { Example } from "./example.js";
import { KINDS } from "./memory-cells.js";
import { adding, recall, type Task } from "./memory-tasks.js";
import { BATCH, EPOCH, learn, type Trained, toTensors } from "./memory-training.js";
import { random } from "./random.js";
import type { Terminal } from "./terminal.js";
import { UserError } from "./user-error.js";

export interface MemoryOptions extends CommonOptions {
  /** Time steps of the sequences. */
  readonly steps: readonly number[];
  readonly hidden: number;
  /** Passes of EPOCH sequences, all new. */
  readonly epochs: number;
}

export const memory: Example<MemoryOptions> = {
  help: `Trains a plain RNN, one that begins with the identity, a GRU and an LSTM on tasks that only a memory solves: the adding problem
and delayed recall, over long sequences. Then shows how much of the gradient reaches each step.

Usage: npm run example -- memory [options]

  --steps A,B        lengths of the sequences, one after the other (50,100,200)
  --hidden N         units of each network (32)
  --epochs N         passes of 3200 sequences each (10)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const seeHelp = "See npm run example -- memory --help.";
    const given = parseArguments(args, { own: ["steps", "hidden", "epochs"], folder, seeHelp });
    const { quick } = given.common;
    return {
      ...given.common,
      steps: (given.names("steps") ?? (quick ? ["20"] : ["50", "100", "200"])).map((text) => {
        if (/^\d+$/.test(text) && Number(text) >= 10 && Number(text) <= 10_000) return Number(text);
        throw new UserError(`--steps needs whole numbers from 10 to 10000, and got "${text}". ${seeHelp}`);
      }),
      hidden: given.integer("hidden", 1, 1024) ?? 32,
      epochs: given.integer("epochs", 1, 1000) ?? (quick ? 2 : 10),
    };
  },

  async run({ steps, hidden, epochs, seed }, terminal, backend) {
    terminal.line(
      `RNN, GRU and LSTM of ${hidden}: ${epochs} epochs of ${EPOCH} sequences in batches of ${BATCH}, Adam,`,
    );
    terminal.line(`gradients clipped to a norm of 1; all see the same sequences; seed ${seed}, ${backend}.`);
    let gru = 0;
    for (const task of [adding, recall]) {
      terminal.heading(`${task.name[0].toUpperCase()}${task.name.slice(1)}`);
      const rows = [["steps", "network", "weights", `${task.measure} (guessing: ${task.guess})`, "", "s per epoch"]];
      let last: Trained[] = [];
      for (const length of steps) {
        last = [];
        for (const kind of KINDS) {
          const trained = await learn({ kind, task, length, hidden, epochs, seed });
          last.push(trained);
          if (kind.name === "GRU") gru = trained.score;
          const { score, seconds, weights } = trained;
          const verdict = task.verdict(score);
          rows.push([`${length}`, kind.name, `${weights}`, task.show(score), verdict, (seconds / epochs).toFixed(2)]);
          terminal.line(`  ${length} steps, ${kind.name}: ${task.show(score)}, ${verdict}`);
        }
      }
      terminal.table(rows);
      await showGradients(terminal, task, last, steps[steps.length - 1], seed);
    }
    const metric = `% right (GRU, recall over ${steps.at(-1)} steps)`;
    return { metric, value: 100 * gru, baseline: Number(recall.guess), against: "guessing" };
  },
};

// ---------------------------------------------------------------------------------------------

/** ‖∂loss/∂h_t‖ at every step t, of all networks, before and after training. */
async function showGradients(terminal: Terminal, task: Task, all: readonly Trained[], length: number, seed: number) {
  const { x, y } = toTensors(task, task.draw(BATCH, length, random(seed + 3)), length);
  for (const when of ["before", "after"] as const) {
    terminal.line(
      `\nThe loss's gradient in the state after each of ${length} steps, its norm as a power of 10, ${when} training`,
    );
    terminal.line(`(${all.map(({ kind }) => `${kind.letter}: ${kind.name}`).join(", ")})`);
    const curves: Record<string, number[]> = {};
    for (const { kind, [when]: model } of all) {
      const [{ norms }] = gradientNorms(model.rnn, () => task.loss(model.forward(x), y));
      curves[kind.letter] = thin((await norms.read()) as Float32Array);
      norms.dispose();
    }
    terminal.line(drawCurves(curves, 14));
    terminal.line(`        1${`${length}`.padStart(curves.R.length)}`);
  }
  x.dispose();
  y.dispose();
}

/** At most 64 of the values, as powers of ten; none below 10⁻¹². */
function thin(values: Float32Array): number[] {
  const columns = Math.min(64, values.length);
  return Array.from({ length: columns }, (_, column) => {
    const value = values[Math.round((column * (values.length - 1)) / (columns - 1))];
    return Math.log10(Math.max(value, 1e-12));
  });
}
