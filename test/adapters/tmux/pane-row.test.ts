import { expect, test } from "vitest";
import { PANE_FORMAT, paneLabels, paneRowOf } from "../../../src/adapters/tmux/pane-row.ts";
import { fc } from "../../property.ts";

/** A list line as tmux would print it for these values. */
const line = (values: Readonly<Record<string, string>>) =>
  PANE_FORMAT.replace(/#\{([^}]+)\}/g, (_, name: string) => values[name] ?? "");

const record = {
  name: "api-polecats-toast",
  namespace: "api",
  agent: "toast",
  role: "polecat",
  generation: 3,
  command: "/bin/x y",
  startedAtMs: 5,
};

test("given any label text, when listed, then it is read back as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme", minLength: 1 }), (role, bead) => {
      const labels = { ...record, role, bead };
      const row = paneRowOf(
        line({ ...Object.fromEntries(paneLabels(labels)), pane_id: "%1", pane_pid: "7", pane_title: "a" }),
      );
      expect(row?.labels).toEqual(labels);
    }),
  );
});

test("given a dead pane in copy mode with tabs in its title, when read, then every field is right", () => {
  const values = {
    ...Object.fromEntries(paneLabels(record)),
    pane_id: "%9",
    pane_pid: "7",
    pane_dead: "1",
    pane_dead_signal: "9",
    window_activity: "100",
    pane_in_mode: "2",
    pane_title: "a\tb",
  };
  expect(paneRowOf(line(values))).toEqual({
    paneId: "%9",
    labels: record,
    pid: 7,
    dead: true,
    deadStatus: undefined,
    deadSignal: 9,
    lastActivityMs: 100_000,
    inMode: true,
    title: "a\tb",
  });
});

test.each([
  { because: "it is a person's pane", text: line({ pane_id: "%1", pane_title: "x" }) },
  { because: "its generation is no number", text: line({ "@town_name": "a", "@town_generation": "x" }) },
  { because: "it is some other text", text: "hello" },
  { because: "it is empty", text: "" },
])("given a line, when read, then it is none of Town's: $because", ({ text }) => {
  expect(paneRowOf(text)).toBeUndefined();
});
