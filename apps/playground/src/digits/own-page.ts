// "Your own things": pictures of two or three things, from the camera or from files, and a network that learns them on the spot. Pictures
// and network stay in the browser: after a reload it answers again.

import { indexedDBStore } from "@nn/train";
import { h } from "../frame/dom.js";
import { dropZone } from "../frame/files.js";
import { modelFiles } from "../frame/model-files.js";
import { reason } from "../frame/reason.js";
import { saidLine } from "../frame/said.js";
import { Session } from "../frame/session.js";
import { hasCheckpoint, removeCheckpoint } from "../worker/checkpoints.js";
import { Camera } from "./own-camera.js";
import { type OwnImages, readOwn, readPicture, SIDE, withPictures, writeOwn } from "./own-images.js";

const DATABASE = "nn-playground/digits";
const LANE = "own";
const GOAL = 120;

export async function openOwn(place: HTMLElement): Promise<void> {
  const store = indexedDBStore(DATABASE);
  let own = await readOwn(store);
  const { elements: lines, say, warn } = saidLine("own-said", "Some five to ten pictures of each are enough.");

  /** Takes pictures and names as they are now; what cannot be kept works until the page is left. */
  const keep = async (next: OwnImages) => {
    own = next;
    show();
    await writeOwn(store, own).then(
      () => warn(""),
      (error) => warn(`These pictures cannot be kept: ${reason(error)}.`),
    );
  };
  const show = () => {
    rows.forEach(({ field, count }, i) => {
      field.value = bars[i].name.textContent = own.names[i];
      count.textContent = `${own.labels.filter((label) => label === i).length} pictures`;
    });
    train.disabled = new Set(own.labels).size < 2 || !["paused", "failed"].includes(state);
  };

  // ── the things ──
  const camera = new Camera(
    (on) => {
      for (const { capture } of rows) capture.disabled = !on;
    },
    (why) => say(why, true),
  );
  const rows = own.names.map((name, i) => {
    const field = h("input", { type: "text", "aria-label": `Name of thing ${i + 1}` });
    field.addEventListener("change", () => void keep({ ...own, names: own.names.with(i, field.value || name) }));
    const count = h("span", { class: "soft small" });
    const capture = h(
      "button",
      { type: "button", disabled: true, "aria-label": `5 from camera: ${name}` },
      "5 from camera",
    );
    capture.addEventListener("click", async () => {
      for (let n = 0; n < 5; n++) {
        const { picture } = camera;
        if (!picture) return;
        await keep(withPictures(own, i, [picture]));
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    });
    const files = dropZone({
      text: "",
      button: "Files",
      label: `Files: ${name}`,
      accept: "image/*",
      multiple: true,
      say,
      async take(files) {
        const pictures = await Promise.all(files.map(readPicture));
        await keep(withPictures(own, i, pictures));
      },
    });
    return { row: h("li", { class: "row" }, field, count, capture, files), field, count, capture };
  });

  // ── training ──
  const train = h("button", { type: "button", class: "primary", id: "own-train" }, "Train on these");
  const forget = h("button", { type: "button", class: "quiet" }, "Forget all");
  let state = "paused";
  let right: number | undefined;
  let told = "";
  const tell = () => {
    const done = state === "paused" && session.step > 0 && right !== undefined;
    say(
      done ? `Trained ${session.step} steps: ${Math.round(100 * right!)} % of its pictures are right.` : told,
      state === "failed",
    );
  };
  const session = new Session({
    database: DATABASE,
    lanes: () => ({ [LANE]: () => new Worker(new URL("./own-worker.ts", import.meta.url), { type: "module" }) }),
    settings: () => ({ things: own.names.length }),
    backend: () => ({ backend: "wasm", threads: 1 }),
    goal: () => GOAL,
    onState(now, message) {
      [state, told] = [now, message];
      show();
      tell();
    },
    onReady(_, { curves }) {
      right = curves["accuracy"]?.y.at(-1);
      void guess();
    },
    onEvent(event) {
      if (event.type === "epoch") {
        right = event.logs["accuracy"] as number;
        tell();
      } else if (event.type === "step" && event.step % 10 === 0) void guess();
    },
    onWarning: warn,
  });
  train.addEventListener("click", async () => {
    await session.open(true);
    void session.train();
  });
  forget.addEventListener("click", async () => {
    session.close();
    await removeCheckpoint(store, LANE);
    await keep({ ...own, labels: [], pixels: new Uint8Array() });
    say("Pictures and network are gone.");
  });
  const { save, load } = modelFiles({
    id: "own-",
    async lanes() {
      if (session.lanes.length === 0) await session.open();
      return session.lanes;
    },
    maker: () => ({ page: "own-things", lane: LANE, settings: { things: own.names.length }, more: own.names }),
    say,
    async loaded(_, made) {
      if (Array.isArray(made?.more)) await keep({ ...own, names: made.more });
      await guess();
    },
  });

  // ── what it sees now ──
  let tried: Uint8Array | null = null;
  const bars = own.names.map(() => ({ name: h("span"), bar: h("i"), text: h("span", {}, "–") }));
  const guess = async () => {
    const picture = camera.picture ?? tried;
    const p = picture && (await session.ask<Float32Array>("guess", picture));
    if (!p) return;
    for (const [i, { bar, text }] of bars.entries()) {
      bar.style.transform = `scaleX(${p[i]})`;
      text.textContent = `${Math.round(100 * p[i])} %`;
    }
  };
  setInterval(() => camera.picture && void guess(), 250);
  const label = "The picture that is tried";
  const shown = h("canvas", {
    width: SIDE,
    height: SIDE,
    class: "tried",
    hidden: true,
    role: "img",
    "aria-label": label,
  });
  const tryOne = dropZone({
    text: "Try it on a picture",
    button: "Choose a picture",
    accept: "image/*",
    say,
    async take([file]) {
      tried = await readPicture(file);
      const area = SIDE * SIDE;
      const image = new ImageData(SIDE, SIDE);
      for (let k = 0; k < area; k++) image.data.set([tried[k], tried[area + k], tried[2 * area + k], 255], 4 * k);
      shown.getContext("2d")!.putImageData(image, 0, 0);
      shown.hidden = false;
      await guess();
    },
  });

  place.append(
    h(
      "p",
      { class: "soft" },
      "A CNN of three convolutions starts from nothing and learns your things from a few pictures, each shown in many variants: mirrored, shifted, noisy. It does not know what a cup is; it knows what tells your pictures apart. Pictures and network stay in this browser.",
    ),
    h("div", { class: "row after" }, camera.button, save, forget),
    h(
      "div",
      { class: "own-things" },
      h(
        "div",
        {},
        camera.video,
        h("ul", { class: "things" }, ...rows.map(({ row }) => row)),
        h("div", { class: "row after" }, train),
        ...lines,
        load,
      ),
      h(
        "div",
        {},
        h("h3", {}, "What it sees"),
        h(
          "ol",
          { class: "bars", id: "own-bars" },
          ...bars.map(({ name, bar, text }) => h("li", {}, name, h("span", {}, bar), text)),
        ),
        tryOne,
        shown,
      ),
    ),
  );
  show();
  if (await hasCheckpoint(store, LANE)) await session.open();
}
