// "Your own things": pictures of two or three things, from the camera or from files, and a network that learns them on the spot.

import { indexedDBStore } from "@nn/train";
import { h, reason } from "../frame/dom.js";
import { dropZone } from "../frame/files.js";
import { Session } from "../frame/session.js";
import { type OwnImages, readOwn, SIDE, SIZE, shrink, writeOwn } from "./own-images.js";

const DATABASE = "nn-playground/digits";
const GOAL = 120;

export async function openOwn(place: HTMLElement): Promise<void> {
  const store = indexedDBStore(DATABASE);
  let own = await readOwn(store);
  if (own.names.length === 0) own = { ...own, names: ["thing A", "thing B", "neither"] };

  const said = h(
    "p",
    { class: "said", role: "status", id: "own-said" },
    "Some five to ten pictures of each are enough.",
  );
  const say = (text: string, wrong = false) => {
    said.textContent = text;
    said.classList.toggle("wrong", wrong);
  };
  const keep = async (next: OwnImages) => {
    own = next;
    await writeOwn(store, own);
    rows.forEach(({ count }, i) => {
      count.textContent = `${own.labels.filter((label) => label === i).length} pictures`;
    });
    train.disabled = new Set(own.labels).size < 2;
  };
  const add = (label: number, pictures: readonly Uint8Array[]) => {
    const pixels = new Uint8Array(own.pixels.length + pictures.length * SIZE);
    pixels.set(own.pixels);
    for (const [i, picture] of pictures.entries()) pixels.set(picture, own.pixels.length + i * SIZE);
    return keep({ ...own, labels: [...own.labels, ...pictures.map(() => label)], pixels });
  };
  const readFiles = (files: readonly File[]) =>
    Promise.all(files.map(async (file) => shrink(await createImageBitmap(file))));

  // ── the camera ──
  const video = h("video", { muted: true, playsInline: true, hidden: true, "aria-label": "What the camera sees" });
  const camera = h("button", { type: "button" }, "Use the camera");
  let stream: MediaStream | null = null;
  camera.addEventListener("click", async () => {
    try {
      if (stream) for (const track of stream.getTracks()) track.stop();
      stream = stream ? null : await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } });
    } catch (error) {
      return say(`The camera cannot be used: ${reason(error)}`, true);
    }
    video.srcObject = stream;
    video.hidden = !stream;
    if (stream) await video.play();
    camera.textContent = stream ? "Stop the camera" : "Use the camera";
    for (const { capture } of rows) capture.disabled = !stream;
  });

  // ── the things ──
  const rows = own.names.map((name, i) => {
    const field = h("input", { type: "text", value: name, "aria-label": `Name of thing ${i + 1}` });
    field.addEventListener("change", () => {
      void keep({ ...own, names: own.names.with(i, field.value || name) }).then(labelBars);
    });
    const count = h("span", { class: "soft small" });
    const capture = h(
      "button",
      { type: "button", disabled: true, "aria-label": `5 from camera: ${name}` },
      "5 from camera",
    );
    capture.addEventListener("click", async () => {
      for (let n = 0; n < 5; n++) {
        await add(i, [shrink(video)]);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    });
    const files = dropZone({
      text: "",
      button: "Files",
      accept: "image/*",
      multiple: true,
      take: async (files) => add(i, await readFiles(files)).catch((error) => say(reason(error), true)),
    });
    return { row: h("li", { class: "row" }, field, count, capture, files), count, capture };
  });

  // ── training ──
  const train = h("button", { type: "button", class: "primary", id: "own-train", disabled: true }, "Train on these");
  const forget = h("button", { type: "button", class: "quiet" }, "Forget all pictures");
  forget.addEventListener("click", () => void keep({ ...own, labels: [], pixels: new Uint8Array() }));
  let right = 0;
  let last: Uint8Array | null = null;
  const session = new Session({
    database: DATABASE,
    lanes: () => ({ own: () => new Worker(new URL("./own-worker.ts", import.meta.url), { type: "module" }) }),
    settings: () => ({ pictures: own.labels.length }),
    backend: () => ({ backend: "wasm", threads: 1 }),
    goal: () => GOAL,
    onState(state, message) {
      train.disabled = state !== "paused" && state !== "failed";
      const done = state === "paused" && session.step > 0;
      say(
        done ? `Trained ${session.step} steps: ${Math.round(100 * right)} % of its pictures are right.` : message,
        state === "failed",
      );
    },
    onReady: () => void guess(),
    onEvent(event) {
      if (event.type === "epoch") right = event.logs["accuracy"] as number;
      if (event.type === "step" && event.step % 10 === 0) void guess();
    },
  });
  train.addEventListener("click", async () => {
    await session.open(true);
    session.train();
  });

  // ── what it sees now ──
  const bars = h("ol", { class: "bars", id: "own-bars" });
  const fills = own.names.map(() => ({ name: h("span"), bar: h("i"), text: h("span", {}, "–") }));
  for (const { name, bar, text } of fills) bars.append(h("li", {}, name, h("span", {}, bar), text));
  const labelBars = () => {
    for (const [i, { name }] of fills.entries()) name.textContent = own.names[i];
  };
  const guess = async () => {
    const [lane] = session.lanes;
    const picture = stream && video.videoWidth > 0 ? shrink(video) : last;
    if (!lane?.hello || !picture) return;
    const p = await lane.ask<Float32Array>("guess", picture).catch(() => null);
    for (const [i, { bar, text }] of fills.entries()) {
      if (!p) continue;
      bar.style.transform = `scaleX(${p[i]})`;
      text.textContent = `${Math.round(100 * p[i])} %`;
    }
  };
  setInterval(() => stream && void guess(), 250);
  const shown = h("canvas", {
    width: SIDE,
    height: SIDE,
    class: "tried",
    hidden: true,
    role: "img",
    "aria-label": "The picture that is tried",
  });
  const tryOne = dropZone({
    text: "Try it on a picture",
    button: "Choose a picture",
    accept: "image/*",
    async take([file]) {
      last = (await readFiles([file]))[0];
      const area = SIDE * SIDE;
      const image = new ImageData(SIDE, SIDE);
      for (let k = 0; k < area; k++) image.data.set([last[k], last[area + k], last[2 * area + k], 255], 4 * k);
      shown.getContext("2d")!.putImageData(image, 0, 0);
      shown.hidden = false;
      await guess();
    },
  });

  place.append(
    h(
      "p",
      { class: "soft" },
      "A CNN of three convolutions starts from nothing and learns your things from a few pictures, each shown in many variants: mirrored, shifted, noisy. It does not know what a cup is; it knows what tells your pictures apart.",
    ),
    h("div", { class: "row after" }, camera, forget),
    h(
      "div",
      { class: "own-things" },
      h(
        "div",
        {},
        video,
        h("ul", { class: "things" }, ...rows.map(({ row }) => row)),
        h("div", { class: "row after" }, train),
        said,
      ),
      h("div", {}, h("h3", {}, "What it sees"), bars, tryOne, shown),
    ),
  );
  labelBars();
  await keep(own);
}
