// @nn/train/node: what needs Node: checkpoints and logs in files, a progress bar, worker threads, folders of images.

export type { ImageFolder, Pixels, WorkerPool } from "../index.js";
export { files } from "./files.js";
export { type ImageFolderOptions, imageFolder, readImage } from "./images.js";
export { csvFile, jsonFile } from "./logs.js";
export { type ProgressOptions, progressBar } from "./progress.js";
export { workers } from "./workers.js";
