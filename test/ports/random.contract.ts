import { describe, expect, test } from "vitest";
import type { Random } from "../../src/ports/random.ts";

/** What every Random promises. */
export function randomContract(name: string, make: () => Random): void {
  describe(`Random contract: ${name}`, () => {
    test("given many floats, when drawn, then all are in [0, 1) and spread evenly", () => {
      const random = make();
      const tenths = Array.from({ length: 10 }, () => 0);
      for (let i = 0; i < 20_000; i += 1) {
        const value = random.float();
        expect(value >= 0 && value < 1).toBe(true);
        const tenth = Math.floor(value * 10);
        tenths[tenth] = (tenths[tenth] ?? 0) + 1;
      }
      for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(300);
    });

    test("given many uuids, when drawn, then all are version 4, lower case and different", () => {
      const random = make();
      const uuids = new Set(Array.from({ length: 500 }, () => random.uuid()));
      expect(uuids.size).toBe(500);
      for (const uuid of uuids)
        expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    });

    test("given a long base36 text, when drawn, then it has that length and every digit occurs about equally often", () => {
      const random = make();
      const text = random.base36(36_000);
      expect(text).toMatch(/^[0-9a-z]{36000}$/);
      for (const digit of "0123456789abcdefghijklmnopqrstuvwxyz") {
        const count = text.split(digit).length - 1;
        expect(Math.abs(count - 1000)).toBeLessThan(200);
      }
      expect(random.base36(0)).toBe("");
    });

    test("given secrets, when drawn, then they are hex of that many bytes and never the same", () => {
      const random = make();
      expect(random.secret(32)).toMatch(/^[0-9a-f]{64}$/);
      expect(random.secret(32)).not.toBe(random.secret(32));
    });
  });
}
