// The series that the page has when nobody gives it another: what an office building might use, hour by hour. Days and weeks are in it,
// a slow season, weather that nobody can foretell, and noise.

import { random } from "@nn/examples/random";

/** CSV with three columns, of some hundred days. */
export function madeCsv(days = 120): string {
  const source = random(11);
  let weather = 0;
  const lines = ["hour,power_kw,temperature_c"];
  for (let t = 0; t < 24 * days; t++) {
    const [hour, day] = [t % 24, Math.floor(t / 24)];
    weather = 0.985 * weather + 0.45 * source.normal();
    const season = 6 * Math.sin((2 * Math.PI * day) / 365 - 1.2);
    const temperature = 11 + season + 4 * Math.sin((2 * Math.PI * (hour - 9)) / 24) + weather;
    const open = day % 7 < 5 ? 1 : 0.25;
    const work = open * (bump(hour, 9.5, 2.2) + bump(hour, 14.5, 2.6));
    const power = 42 + 55 * work + 1.1 * Math.abs(temperature - 17) + 1.8 * source.normal();
    lines.push(`${t},${power.toFixed(2)},${temperature.toFixed(2)}`);
  }
  return lines.join("\n");
}

const bump = (x: number, at: number, width: number) => Math.exp(-(((x - at) / width) ** 2) / 2);
