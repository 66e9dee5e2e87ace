// What a saved network says of itself, and why it does not fit.

import { saveSafetensors } from "@nn/io";
import { tensor } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { MAKER, type Maker, makerOf, misfit } from "./saved.js";

const here: Maker = { page: "digits", lane: "cnn", settings: { channels: 8, kernel: 3 } };
const why = (made: Maker | null) => misfit(made, here, (name) => name.toUpperCase());

describe("a saved network", () => {
  it("says who made it, in the file's metadata", async () => {
    const file = await saveSafetensors({ w: tensor([1]) }, { metadata: { [MAKER]: JSON.stringify(here) } });
    expect(makerOf(file)).toEqual(here);
    const within = new Uint8Array(file.length + 3);
    within.set(file, 3);
    expect(makerOf(within.subarray(3))).toEqual(here);
    expect(makerOf(await saveSafetensors({ w: tensor([1]) }))).toBeNull();
    for (const length of [0, 4, 8, 20]) expect(makerOf(file.subarray(0, length))).toBeNull();
  });

  it("tells the first thing that is other than here", () => {
    expect(why({ ...here, page: "sound", lane: "listener" })).toBe(
      "it is a network of the page “sound”, and this is “digits”.",
    );
    expect(why({ ...here, lane: "own" })).toBe("it is the own's, and this is the cnn.");
    expect(why({ ...here, settings: { channels: 16, kernel: 3 } })).toMatch(
      /^it was made with CHANNELS 16 instead of 8\. /,
    );
    expect(why(here)).toBeNull();
    expect(why(null)).toBeNull();
  });
});
