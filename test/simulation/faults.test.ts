import { describe, expect, test } from "vitest";
import { delayed, failing, observed } from "../../src/simulation/faults.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { virtualClock } from "../turn.ts";

class Counter {
  #value = 0;
  async raise(by: number): Promise<number> {
    this.#value += by;
    return this.#value;
  }
  async read(): Promise<number> {
    return this.#value;
  }
  get value(): number {
    return this.#value;
  }
}

describe("failing", () => {
  test("given every third call, when called nine times, then calls 3, 6 and 9 have no effect and throw", async () => {
    const counter = new Counter();
    const port = failing(counter, { methods: ["raise"], every: 3 });
    const outcomes: string[] = [];
    for (let i = 0; i < 9; i += 1)
      outcomes.push(await port.raise(1).then(String, (error: Error) => error.constructor.name));
    expect(outcomes).toEqual(["1", "2", "TownError", "3", "4", "TownError", "5", "6", "TownError"]);
    expect(await port.read()).toBe(6);
    expect(port.value).toBe(6);
  });

  test("given a lost answer at the second call, when called, then the effect is there and the caller sees an error", async () => {
    const counter = new Counter();
    const told: unknown[] = [];
    const port = failing(counter, {
      methods: ["raise"],
      at: 2,
      how: "LoseAnswer",
      error: (method) => new Error(`lost ${method}`),
      onFault: (...args) => told.push(args),
    });
    await port.raise(1);
    await expect(port.raise(1)).rejects.toThrow("lost raise");
    await port.raise(1);
    expect(counter.value).toBe(3);
    expect(told).toEqual([["raise", 2]]);
  });

  test.each([
    { how: "Hang" as const, value: 0 },
    { how: "HangAfter" as const, value: 1 },
  ])("given $how, when called, then it never answers and the effect is $value", async ({ how, value }) => {
    const clock = virtualClock();
    const counter = new Counter();
    let answered = false;
    void failing(counter, { methods: ["raise"], at: 1, how })
      .raise(1)
      .finally(() => {
        answered = true;
      });
    await clock.advance(1000);
    expect(answered).toBe(false);
    expect(counter.value).toBe(value);
  });

  test("given a probability and a seed, when replayed, then the same calls fail", async () => {
    const pattern = async (seed: number): Promise<string> => {
      const port = failing(new Counter(), { methods: ["raise"], probability: 0.3, random: seededRandom(seed) });
      let text = "";
      for (let i = 0; i < 200; i += 1)
        text += await port.raise(1).then(
          () => ".",
          () => "x",
        );
      return text;
    };
    expect(await pattern(5)).toBe(await pattern(5));
    expect(await pattern(5)).not.toBe(await pattern(6));
    const failures = (await pattern(5)).split("x").length - 1;
    expect(failures).toBeGreaterThan(30);
    expect(failures).toBeLessThan(90);
  });
});

describe("delayed and observed", () => {
  test("given a slow port, when called, then the effect comes after the delay", async () => {
    const clock = virtualClock();
    const counter = new Counter();
    const port = delayed(counter, { methods: ["raise"], clock, ms: 100 });
    const called = port.raise(1);
    await clock.advance(99);
    expect(counter.value).toBe(0);
    await clock.advance(1);
    expect(await called).toBe(1);
  });

  test("given an observer, when methods are called, then it is told of the chosen ones with their arguments", async () => {
    const told: unknown[] = [];
    const port = observed(new Counter(), ["raise"], (method, args) => told.push([method, ...args]));
    await port.raise(2);
    await port.read();
    expect(told).toEqual([["raise", 2]]);
  });
});
