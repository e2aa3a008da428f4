import { describe, expect, test } from "vitest";
import { printable, showsSubmission } from "../../../src/adapters/tmux/doorbell.ts";
import type { Screen } from "../../../src/adapters/tmux/screen.ts";

const screen = (rows: readonly string[], over: Partial<Screen> = {}): Screen => ({
  cursorX: 0,
  cursorY: 5,
  historyRows: 0,
  rows,
  ...over,
});
const draft = screen(["reply", "", "│ > you have work", "", "⠋ thinking"]);

describe("showsSubmission", () => {
  test.each([
    { because: "nothing changed", after: draft, submitted: false },
    {
      because: "only a spinner moved",
      after: screen(["reply", "", "│ > you have work", "", "⠙ thinking"]),
      submitted: false,
    },
    {
      because: "the draft's row is empty now",
      after: screen(["reply", "> you have work", "│ >", "", "⠋ thinking"]),
      submitted: true,
    },
    { because: "the draft moved up", after: screen(["> you have work", "", "│ >"]), submitted: true },
    {
      because: "a dialog took its place",
      after: screen(["Allow this command?", "❯ 1. Yes", "  2. No"]),
      submitted: true,
    },
    { because: "the cursor moved", after: { ...draft, cursorY: 6 }, submitted: true },
    { because: "the screen scrolled", after: { ...draft, historyRows: 1 }, submitted: true },
  ])("given a draft, when looked at again, then submitted is $submitted: $because", ({ after, submitted }) => {
    expect(showsSubmission(draft, after, "hello\nyou have work")).toBe(submitted);
  });

  test("given a draft that is not on the screen, when anything changed, then it is submitted", () => {
    const folded = screen(["[Pasted text #1 +300 lines]"]);
    expect(showsSubmission(folded, folded, "x\ny")).toBe(false);
    expect(showsSubmission(folded, screen([""]), "x\ny")).toBe(true);
  });
});

test.each([
  ["plain ✳ text\twith tab", "plain ✳ text\twith tab"],
  ["two\r\nlines\rthree\n\n", "two\nlines\nthree"],
  ["end\u001b[201~\rrm -rf /", "end[201~\nrm -rf /"],
  ["\u0000\u0007\u009b2J\u007f", "2J"],
])("given %j, when made printable, then it is %j", (text, expected) => {
  expect(printable(text)).toBe(expected);
});
