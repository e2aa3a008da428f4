import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { randomContract } from "../ports/random.contract.ts";

randomContract("seeded", () => seededRandom(1));

describe("seededRandom", () => {
  test("given one seed twice, when drawn, then both streams are the same; another seed gives another", () => {
    const draw = (seed: number | string): string => {
      const random = seededRandom(seed);
      return [random.uuid(), random.base36(8), random.secret(8), random.float()].join(" ");
    };
    expect(draw(7)).toBe(draw(7));
    expect(draw(7)).not.toBe(draw(8));
  });

  test("given a fork, when it is drawn from, then the parent's stream does not shift", () => {
    const [a, b] = [seededRandom("s"), seededRandom("s")];
    const fork = a.fork("faults");
    fork.float();
    expect(a.float()).toBe(b.float());
    expect(seededRandom("s").fork("faults").float()).toBe(seededRandom("s").fork("faults").float());
    expect(seededRandom("s").fork("other").float()).not.toBe(seededRandom("s").fork("faults").float());
  });

  test("given bounds and probabilities, when drawn, then they are kept", () => {
    const random = seededRandom(3);
    const hits = Array.from({ length: 10_000 }, () => random.chance(0.2)).filter(Boolean).length;
    expect(Math.abs(hits - 2000)).toBeLessThan(200);
    const seen = new Set(Array.from({ length: 200 }, () => random.below(4)));
    expect([...seen].sort((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    expect(["x", "y"]).toContain(random.pick(["x", "y"]));
  });
});
