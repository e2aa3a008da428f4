import { expect, test } from "vitest";
import { requireTmux, tmuxIsNewEnough } from "../../../src/adapters/tmux/tmux-version.ts";

test.each([
  ["3.2", true],
  ["3.2a", true],
  ["3.3a", true],
  ["3.10", true],
  ["4.0", true],
  ["next-3.6", true],
  ["openbsd-7.5", true],
  ["3.1c", false],
  ["2.9", false],
])("given tmux %s, when checked, then new enough is %s", (version, enough) => {
  expect(tmuxIsNewEnough(version)).toBe(enough);
});

test("given no tmux on the PATH, when required, then the error says what to do", async () => {
  await expect(requireTmux("/nonexistent")).rejects.toMatchObject({
    reason: "TmuxMissing",
    hint: expect.stringContaining("process") as unknown,
  });
});
