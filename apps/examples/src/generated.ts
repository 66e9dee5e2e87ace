/** Small data sets for examples that are given no real ones: waves, days and opinions. */
import type { Dataset } from "./dataset.js";
import { type Random, random } from "./random.js";
import type { SeriesSet } from "./series.js";

/** Slow and fast waves with noise, 24 steps each: two classes. */
export function drawWaves(seed: number): SeriesSet {
  const source = random(seed);
  const draw = (count: number): Dataset => {
    const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
    const series = Array.from(labels, (label) => {
      const [phase, speed] = [source.uniform(0, 6), label === 0 ? 0.3 : 0.5];
      return Array.from({ length: 24 }, (_, t) => Math.sin(phase + speed * t) + 0.4 * source.normal());
    });
    return { count, shape: [1, 24], inputs: Float32Array.from(series.flat()), labels };
  };
  return { train: draw(60), test: draw(200), classes: ["slow", "fast"] };
}

/** Hour by hour, two series with the rhythm of days and of weeks, the level of which drifts: rows of two numbers. */
export function drawDays(seed: number, hours: number): { data: Float32Array; names: string[] } {
  const source = random(seed);
  let level = 0;
  const rows = Array.from({ length: hours }, (_, t) => {
    level += 0.02 * source.normal();
    const week = 1 + 0.6 * Math.sin((2 * Math.PI * t) / 168);
    const wave = (phase: number) => level + week * Math.sin((2 * Math.PI * t) / 24 + phase) + 0.1 * source.normal();
    return [wave(0), wave(2)];
  });
  return { data: Float32Array.from(rows.flat()), names: ["load", "temperature"] };
}

/** Sentences about films, 1 for praise and 0 for blame: what counts is one word among others, and whether "not" is before it. */
export function drawOpinions(source: Random, count: number): { texts: string[]; labels: Int32Array } {
  const pick = (words: string) => source.pick(words.split(" "));
  const texts: string[] = [];
  const labels = Int32Array.from({ length: count }, () => {
    const [good, not] = [source.below(2), source.below(2)];
    const noun = () => pick("film story plot cast camera music ending dialogue");
    const opinion = pick(good ? "funny warm fine great moving clever" : "dull weak poor predictable boring clumsy");
    texts.push(
      `the ${noun()} is ${not ? "not " : ""}${opinion} , ${pick("and but though")} the ${noun()} is ${pick("long short loud")} .`,
    );
    return good === not ? 0 : 1;
  });
  return { texts, labels };
}

/** Sonnets 18, 116 and 130 of William Shakespeare (1609). */
export const SONNETS = `Shall I compare thee to a summer's day?
Thou art more lovely and more temperate:
Rough winds do shake the darling buds of May,
And summer's lease hath all too short a date;
Sometime too hot the eye of heaven shines,
And often is his gold complexion dimm'd;
And every fair from fair sometime declines,
By chance or nature's changing course untrimm'd;
But thy eternal summer shall not fade,
Nor lose possession of that fair thou ow'st;
Nor shall death brag thou wander'st in his shade,
When in eternal lines to time thou grow'st:
So long as men can breathe or eyes can see,
So long lives this, and this gives life to thee.

Let me not to the marriage of true minds
Admit impediments. Love is not love
Which alters when it alteration finds,
Or bends with the remover to remove:
O no; it is an ever-fixed mark,
That looks on tempests, and is never shaken;
It is the star to every wandering bark,
Whose worth's unknown, although his height be taken.
Love's not Time's fool, though rosy lips and cheeks
Within his bending sickle's compass come;
Love alters not with his brief hours and weeks,
But bears it out even to the edge of doom.
If this be error and upon me proved,
I never writ, nor no man ever loved.

My mistress' eyes are nothing like the sun;
Coral is far more red than her lips' red;
If snow be white, why then her breasts are dun;
If hairs be wires, black wires grow on her head.
I have seen roses damask'd, red and white,
But no such roses see I in her cheeks;
And in some perfumes is there more delight
Than in the breath that from my mistress reeks.
I love to hear her speak, yet well I know
That music hath a far more pleasing sound;
I grant I never saw a goddess go;
My mistress, when she walks, treads on the ground:
And yet, by heaven, I think my love as rare
As any she belied with false compare.
`;
