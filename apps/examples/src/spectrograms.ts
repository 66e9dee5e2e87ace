/** Sounds as pictures: what frequencies are in them when. */
import { spectrogram } from "@nn/train";
import { heat, Picture } from "./picture-png.js";
import { BINS, FRAMES, HOP } from "./sound-filter.js";

/** One below the other, 0 to 4 kHz upwards, 60 dB from dark to bright. */
export function drawSpectrograms(sounds: Readonly<Record<string, Float32Array>>): Picture {
  const [scale, title] = [4, 22];
  const frames = Math.floor(Object.values(sounds)[0].length / HOP) - 1;
  const height = 2 * BINS + title;
  const picture = new Picture(frames * scale + 16, Object.keys(sounds).length * height + 8);
  Object.entries(sounds).forEach(([name, samples], i) => {
    picture.text(8, i * height + 7, name);
    spectrogram(samples, { ...FRAMES, power: 1 }).data.forEach((magnitude, at) => {
      const [t, k] = [Math.floor(at / BINS), at % BINS];
      const level = 1 + (20 * Math.log10(magnitude / 10 + 1e-9)) / 60;
      picture.fill(8 + t * scale, (i + 1) * height - 2 * (k + 1), scale, 2, heat(level));
    });
  });
  return picture;
}
