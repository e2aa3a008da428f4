import type { Random } from "../ports/random.ts";

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";

/** A stream of randomness that the same seed replays, with a few draws that simulations need. */
export interface SeededRandom extends Random {
  /** Whole number in [0, bound). */
  below(bound: number): number;
  /** True with that probability. */
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** An independent stream named by `label`: draws there do not shift draws here. */
  fork(label: string): SeededRandom;
}

/** Small fast counter generator (sfc32, Chris Doty-Humphrey's PractRand), seeded from a number or a text. */
export function seededRandom(seed: number | string): SeededRandom {
  const next = sfc32(seedWords(String(seed)));
  const float = (): number => next() / 2 ** 32;
  const below = (bound: number): number => Math.floor(float() * bound);
  const bytes = (count: number): number[] => Array.from({ length: count }, () => next() & 0xff);
  return {
    float,
    below,
    chance: (probability) => float() < probability,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    fork: (label) => seededRandom(`${String(seed)}/${label}`),
    uuid: () => uuidFrom(bytes(16)),
    base36: (length) => Array.from({ length }, () => DIGITS[below(36)]).join(""),
    secret: (count) => bytes(count).map(hex).join(""),
  };
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

function uuidFrom(bytes: number[]): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const text = bytes.map(hex).join("");
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
}

/** Four 32-bit words from a text (xmur3-style mixing), so that seeds 1 and 2 give unrelated streams. */
function seedWords(text: string): [number, number, number, number] {
  let h = 1779033703 ^ text.length;
  for (let i = 0; i < text.length; i += 1) {
    h = Math.imul(h ^ text.charCodeAt(i), 3432918353);
    h = (h << 13) | (h >>> 19);
  }
  const word = (): number => {
    h = Math.imul(h ^ (h >>> 16), 2246822507);
    h = Math.imul(h ^ (h >>> 13), 3266489909);
    h ^= h >>> 16;
    return h >>> 0;
  };
  return [word(), word(), word(), word()];
}

function sfc32([s0, s1, s2, s3]: [number, number, number, number]): () => number {
  let [a, b, c, counter] = [s0, s1, s2, s3];
  const next = (): number => {
    const result = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + result;
    c |= 0;
    return result >>> 0;
  };
  for (let i = 0; i < 12; i += 1) next();
  return next;
}
