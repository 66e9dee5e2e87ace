// @nn/train/node: what needs Node: checkpoints and logs in files, a progress bar, worker threads, folders of images.

export { files } from "./files.js";
export { type ImageFolder, type ImageFolderOptions, imageFolder, type Pixels, readImage } from "./images.js";
export { csvFile, jsonFile } from "./logs.js";
export { type ProgressOptions, progressBar } from "./progress.js";
export { type WorkerPool, workers } from "./workers.js";
