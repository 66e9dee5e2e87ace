// A page's bench, put together: settings, the run bar, the runs, saving and loading, sharing.

import type { WorkerEvent } from "@nn/train";
import type { Hello } from "../worker/protocol.js";
import { backendFields, backendOf, figure, speeds } from "./backends.js";
import { byId, h } from "./dom.js";
import { choice, type Fields, Settings, type Values } from "./fields.js";
import type { Lane } from "./lane.js";
import { modelFiles } from "./model-files.js";
import { frame, type PageName } from "./page.js";
import { saidLine } from "./said.js";
import { Session } from "./session.js";

export interface LabOptions<F extends Fields> {
  readonly page: PageName;
  readonly fields: F;
  /** After how many steps it pauses: the choices, and the first. */
  readonly goals: readonly number[];
  readonly goal: number;
  /** The runs by name, and what starts the worker of each. */
  lanes(values: Values<F>): Readonly<Record<string, () => Worker>>;
  /** What a step takes, for samples per second: how many, of what. */
  samples(values: Values<F>): number;
  readonly unit: string;
  /** Figures in the run bar besides step and speed. */
  readonly figures: readonly string[];
  onReady(lane: Lane, hello: Hello): void;
  onEvent(event: WorkerEvent, lane: Lane): void;
  /** A live setting was changed. */
  onSetting?(name: keyof F & string): void;
  /** When training begins or ends. */
  onState?(training: boolean): void;
}

/** What a panel needs to know of its page. */
export interface Bench {
  /** Asks the first run; null if there is none that could answer. */
  ask<T>(what: string, value?: unknown): Promise<T | null>;
  /** Says something in the line below the run bar, to screen readers, too. */
  say(message: string, wrong?: boolean): void;
}

export interface LabPage<F extends Fields> extends Bench {
  readonly session: Session;
  readonly settings: Settings<F>;
  readonly values: Values<F>;
  /** Shows a figure in the run bar. */
  figure(name: string, value: string): void;
  /** Begins anew, as after a change of settings. */
  restart(): void;
  start(): void;
}

export function openLab<F extends Fields>(options: LabOptions<F>): LabPage<F> {
  frame(options.page);
  const { page, goals } = options;
  const measured = speeds(page);
  const steps = (n: number) => [n, `${n.toLocaleString("en")} steps`] as const;
  const goal = choice("Pause after", [...goals.map(steps), [1e9, "never"]], options.goal, { live: true });
  const several = Object.keys(options.lanes({} as never)).length > 1;
  const fields = { ...options.fields, goal, ...backendFields(several) };
  const settings = new Settings(fields, (name, live) => {
    if (name === "backend" || name === "threads") void moveTo();
    else if (!live) restart("The settings have changed: training begins anew.");
    else options.onSetting?.(name as never);
  });
  const values = settings.values as Values<F> & { goal: number; backend: string; threads: number };

  // ── the run bar ──
  const train = h("button", { class: "primary", type: "button", id: "train" }, "Train");
  const one = h("button", { type: "button", id: "step" }, "Step");
  const reset = h("button", { type: "button", id: "reset" }, "Reset");
  const figures = new Map<string, HTMLElement>();
  const list = h("dl", {});
  for (const name of ["Step", ...options.figures, `${options.unit}/s`]) {
    const value = h("span", {}, "–");
    figures.set(name, value);
    list.append(h("div", {}, h("dt", {}, name), h("dd", {}, value)));
  }
  const progress = h("progress", { max: 1, value: 0, "aria-label": "Steps done" });
  const { elements: lines, say, warn } = saidLine("said");
  const speed = figures.get(`${options.unit}/s`)!;
  const versus = h("small", { class: "soft" });
  speed.after(versus);
  byId("run").classList.add("run");
  byId("run").append(
    h("div", { class: "row", role: "group", "aria-label": "Training" }, train, one, reset),
    list,
    ...lines,
    progress,
  );

  const show = (name: string, value: string) => {
    const place = figures.get(name);
    if (place && place.textContent !== value) place.textContent = value;
  };

  // ── the runs ──
  let backend = "";
  const showSteps = () => {
    const { step } = session;
    show("Step", Number.isFinite(step) ? step.toLocaleString("en") : "–");
    progress.value = Number.isFinite(step) ? Math.min(1, step / values.goal) : 0;
  };
  /** What a run depends on. */
  const chosen = () => {
    const own = Object.entries(options.fields).filter(([, { live }]) => !live);
    return Object.fromEntries(own.map(([name]) => [name, values[name as keyof typeof values]]));
  };
  const session = new Session({
    database: `nn-playground/${page}`,
    lanes: () => options.lanes(values),
    settings: chosen,
    backend: () => backendOf(values),
    goal: () => values.goal,
    onState(state, message) {
      train.textContent = { training: "Pause", failed: "Try again" }[state as string] ?? "Train";
      train.disabled = state === "loading";
      one.disabled = state !== "paused";
      const hint = "Try again goes on from where the page last kept its state, Reset begins anew.";
      say(state === "failed" ? `${message} ${hint}` : message, state === "failed");
      if (state !== "training") {
        if (speedNow > 0) measured.note(backend, speedNow);
        counted = seconds = speedNow = 0;
      }
      document.documentElement.dataset["state"] = state;
      options.onState?.(state === "training");
      showSteps();
    },
    onReady(lane, hello) {
      backend = hello.backend;
      show(`${options.unit}/s`, "–");
      const other = measured.other(backend);
      versus.textContent = other && `last on ${other}`;
      options.onReady(lane, hello);
    },
    onEvent(event, lane) {
      if (event.type === "step") count(lane);
      options.onEvent(event, lane);
      if (event.type === "step") showSteps();
    },
    onWarning: warn,
  });

  // Samples per second, of the last second or so; of several runs, of each alone.
  let [counted, seconds, speedNow, since] = [0, 0, 0, 0];
  const count = (lane: Lane) => {
    if (session.state !== "training" || lane !== session.lanes[0]) return;
    if (lane.secondsPerStep > 0) {
      counted++;
      seconds += lane.secondsPerStep;
    }
    if (performance.now() - since < 500 || seconds === 0) return;
    since = performance.now();
    speedNow = (counted / seconds) * options.samples(values);
    show(`${options.unit}/s`, figure(speedNow));
    counted /= 2;
    seconds /= 2;
  };

  const restart = (message = "") => {
    void session.open(true).then(() => message && session.state === "paused" && say(message));
  };
  /** To another backend, with all that was learnt: a checkpoint goes everywhere. */
  const moveTo = async () => {
    const training = session.state === "training";
    await session.pause();
    await session.open();
    if (training) void session.train();
  };
  train.addEventListener("click", () => {
    if (session.state === "failed") void session.open();
    else if (session.state === "training") void session.pause();
    else void session.train();
  });
  one.addEventListener("click", () => void session.one());
  reset.addEventListener("click", () => restart("Begun anew, with new weights."));

  // ── settings, the model, sharing ──
  const share = h("button", { type: "button", id: "share" }, "Copy link");
  share.addEventListener("click", async () => {
    await navigator.clipboard?.writeText(location.href).catch(() => {});
    say(`The address of these settings is in the clipboard: ${location.href}`);
  });
  const { save, load } = modelFiles({
    lanes: () => session.lanes,
    maker: ({ name }) => ({ page, lane: name, settings: chosen() }),
    label: (name) => options.fields[name].label,
    say,
    async loaded(lane) {
      const hello = await lane.ready();
      if (hello) options.onReady(lane, hello);
    },
  });
  byId("settings").append(
    h("h2", { class: "visually-hidden" }, "Settings"),
    settings.form,
    h("hr"),
    h("div", { class: "row" }, save, share),
    load,
  );

  return {
    session,
    settings: settings as never,
    values,
    figure: show,
    ask: (what, value) => session.ask(what, value),
    say,
    restart: () => restart(),
    start: () => void session.open(),
  };
}
