import { defineConfig } from "vitepress";

const link = (text: string, link: string) => ({ text, link });

const base = process.env.DOCS_BASE ?? "/";

export default defineConfig({
  title: "@nn",
  description:
    "Neural networks for JavaScript: CNNs, RNNs, GRUs and LSTMs, trained and run in the browser and in Node.",
  base,
  srcExclude: ["README.md"],
  cleanUrls: false,
  lastUpdated: false,
  head: [["link", { rel: "icon", href: `${base}icon.svg`, type: "image/svg+xml" }]],
  markdown: { math: true },
  themeConfig: {
    search: { provider: "local" },
    nav: [link("Start", "/start"), link("Tutorials", "/tutorials/first-cnn"), link("API", "/api/")],
    sidebar: [
      { text: "Start", items: [link("Install and run", "/start"), link("Backends", "/backends")] },
      {
        text: "Tutorials",
        items: [
          link("A first CNN", "/tutorials/first-cnn"),
          link("A first LSTM", "/tutorials/first-lstm"),
          link("Streams", "/tutorials/streaming"),
          link("An op of your own", "/tutorials/own-op"),
          link("A cell of your own", "/tutorials/own-cell"),
          link("A backend of your own", "/tutorials/own-backend"),
        ],
      },
      {
        text: "Coming from",
        items: [
          link("PyTorch", "/guides/pytorch"),
          link("Keras and TensorFlow.js", "/guides/keras"),
          link("brain.js", "/guides/brainjs"),
        ],
      },
      {
        text: "Concepts",
        items: [
          link("Tensors and memory", "/concepts/tensors"),
          link("Gradients", "/concepts/gradients"),
          link("compile", "/concepts/compile"),
          link("Convolution", "/concepts/convolution"),
          link("Recurrent networks", "/concepts/recurrent"),
          link("Numbers and randomness", "/concepts/numbers"),
        ],
      },
      {
        text: "API",
        items: [
          link("@nn/tensor", "/api/@nn/tensor"),
          link("@nn/layers", "/api/@nn/layers"),
          link("@nn/conv", "/api/@nn/conv"),
          link("@nn/recurrent", "/api/@nn/recurrent"),
          link("@nn/optim", "/api/@nn/optim"),
          link("@nn/models", "/api/@nn/models"),
          link("@nn/train", "/api/@nn/train"),
          link("@nn/io", "/api/@nn/io"),
          link("@nn/backend-wasm", "/api/@nn/backend-wasm"),
          link("@nn/backend-webgpu", "/api/@nn/backend-webgpu"),
        ],
      },
    ],
    outline: [2, 3],
  },
});
