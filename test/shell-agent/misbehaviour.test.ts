import { expect, test } from "vitest";
import { misbehaviourAt, misbehaviours } from "../../src/shell-agent/misbehaviour.ts";

test("given a list, when read, then every entry is known", () => {
  expect(misbehaviours(" die-before:implement, hang:verify!,ignore-hook ,finish-without-exit!,")).toEqual([
    { kind: "die-before", step: "implement", always: false },
    { kind: "hang", step: "verify", always: true },
    { kind: "ignore-hook", step: "", always: false },
    { kind: "finish-without-exit", step: "", always: true },
  ]);
  expect(misbehaviours("")).toEqual([]);
});

test.each([
  "die",
  "die-before",
  "die-before:",
  "ignore-hook:x",
  "hang",
  "sleep:implement",
])("given %j, when read, then it is an error that lists what is known", (text) => {
  expect(() => misbehaviours(text)).toThrow(/must be one of die-before:STEP/);
});

test.each([
  { because: "the first time on the first attempt", entry: "hang:a", attempt: 1, happened: false, applies: true },
  { because: "not again", entry: "hang:a", attempt: 1, happened: true, applies: false },
  { because: "not on a later attempt", entry: "hang:a", attempt: 2, happened: false, applies: false },
  { because: "always with a mark", entry: "hang:a!", attempt: 7, happened: true, applies: true },
  { because: "not in another step", entry: "hang:b!", attempt: 1, happened: false, applies: false },
  { because: "not another kind", entry: "die-after:a!", attempt: 1, happened: false, applies: false },
])("given $entry on attempt $attempt, when asked, then it applies: $because", ({
  entry,
  attempt,
  happened,
  applies,
}) => {
  const found = misbehaviourAt(misbehaviours(entry), { kind: "hang", step: "a", attempt }, () => happened);
  expect(found !== undefined).toBe(applies);
});
