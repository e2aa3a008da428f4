import { describe, expect, it } from "vitest";
import { displayWidth } from "../../../src/cli/output/terminal-text.ts";
import { type FrameInput, frameOf } from "../../../src/cli/top/frame.ts";
import { LiveObjects } from "../../../src/cli/top/live-objects.ts";
import { plainLine } from "../../../src/cli/top/line.ts";
import { painted } from "../../../src/cli/top/paint.ts";
import { panesOf } from "../../../src/cli/top/panes.ts";
import { plainFrame } from "../../../src/cli/top/plain-frame.ts";
import { topData, type TopData } from "../../../src/cli/top/top-data.ts";
import { AGENT_SORTS, FIRST_VIEW, PANES, type TopView } from "../../../src/cli/top/top-view.ts";
import { NOW_MS, sampleData } from "./sample-data.ts";
import { fc } from "../../property.ts";

const LOAD = { averages: [1.5, 0.75, 0.25], processors: 4 };

interface Shown {
  readonly columns?: number;
  readonly rows?: number;
  readonly view?: Partial<TopView>;
  readonly data?: TopData;
  readonly lostForMs?: number;
  readonly unicode?: boolean;
}

function inputOf({
  columns = 80,
  rows = 24,
  view = {},
  data = sampleData(),
  lostForMs,
  unicode = true,
}: Shown): FrameInput {
  const now = { ...FIRST_VIEW, ...view };
  const panes = panesOf({ data, view: now, nowMs: NOW_MS, unicode });
  return { data, panes, view: now, columns, rows, load: LOAD, lostForMs };
}

/** The screen as text, with its size in front. */
function screen(shown: Shown = {}): string {
  const input = inputOf(shown);
  return `${input.columns}x${input.rows}\n${frameOf(input).map(plainLine).join("\n")}\n`;
}

const golden = (name: string): string => `../../golden/top/${name}.txt`;

describe("the frame of town top", () => {
  it("given a town with a bit of everything, when 80x24, then every list has its place", async () => {
    await expect(screen()).toMatchFileSnapshot(golden("80x24"));
  });

  it("given the same town, when 120x40, then the lists stand beside each other", async () => {
    await expect(screen({ columns: 120, rows: 40 })).toMatchFileSnapshot(golden("120x40"));
  });

  it("given a town that was never read, when drawn, then what is not known is not shown as zero", async () => {
    const data = topData(new LiveObjects(), undefined);
    await expect(screen({ data, rows: 14 })).toMatchFileSnapshot(golden("nothing-known"));
  });

  it("given a daemon that does not answer, when drawn, then the last state stays and the header says since when", () => {
    expect(screen({ lostForMs: 65_000 })).toContain("disconnected for 65s, retrying");
    expect(screen({ lostForMs: 65_000 })).toContain("api/toast");
  });

  it("given events are chosen, when drawn, then their list grows and the others stay", () => {
    const text = screen({ view: { pane: "events" } });
    expect(text.match(/StepClosed/g)?.length).toBeGreaterThan(screen().match(/StepClosed/g)?.length ?? 0);
    expect(text).toContain("RIG");
  });

  it("given a filter, when drawn, then every list shows only what contains it", () => {
    const text = screen({ view: { filter: "MAX" } });
    expect(text).toContain("api/max");
    expect(text).not.toContain("api/toast ");
    expect(text).toContain('filter "MAX"');
  });

  it("given all agents are asked for, when drawn, then those without session and work are there, too", () => {
    expect(screen()).not.toContain("rictus");
    expect(screen({ rows: 40, view: { showAll: true } })).toContain("rictus");
  });

  it("given a terminal that knows no more than ASCII, when drawn, then bars are ASCII", () => {
    expect(screen({ unicode: false })).toContain("####--------");
  });

  it("given a page, when drawn, then its end can be reached and the rest is counted", () => {
    const lines = Array.from({ length: 50 }, (_, index) => `line ${index + 1}`);
    expect(screen({ view: { page: { title: "a page", lines, top: 0 } } })).toMatch(/a page +30 more lines\nline 1\n/);
    expect(screen({ view: { page: { title: "a page", lines, top: "End" } } })).toMatch(/line 50\nj\/k scroll/);
  });

  it("given something is asked, when drawn, then the last line holds the question and the end of the answer", () => {
    const text = "x".repeat(200);
    expect(screen({ view: { prompt: { kind: "Nudge", agent: "api/toast", text: `${text}the end` } } })).toMatch(
      /nudge api\/toast: x+the end_\n$/,
    );
  });

  it("given agents in another order, when drawn, then the most urgent, or the longest without progress, is first", () => {
    const first = (sort: TopView["sort"]): string | undefined =>
      /\n(api\/\w+)/.exec(screen({ rows: 40, view: { sort } }))?.[1];
    expect(AGENT_SORTS.map((sort) => first(sort))).toEqual([
      "api/furiosa",
      "api/nux",
      "api/nux",
      "api/toast",
      "api/toast",
    ]);
  });

  it("given any size, list and choice, when drawn, then it fits exactly, and nothing of it is a control character", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 260 }),
        fc.integer({ min: 1, max: 80 }),
        fc.constantFrom(...PANES),
        fc.boolean(),
        fc.constantFrom("", "max", "nothing has this"),
        (columns, rows, pane, showAll, filter) => {
          const lines = frameOf(inputOf({ columns, rows, view: { pane, showAll, filter } }));
          expect(lines).toHaveLength(rows);
          for (const line of lines) {
            const text = line.spans.map((each) => each.text).join("");
            expect(displayWidth(text)).toBeLessThanOrEqual(columns);
            expect(text).not.toMatch(/\p{Cc}/u);
          }
        },
      ),
    );
  });

  it("given any size in which a list can be seen, when a row of it is chosen, then that row is on the screen, inverted", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 40, max: 200 }),
        fc.integer({ min: 8, max: 60 }),
        fc.nat(29),
        (columns, rows, row) => {
          const key = panesOf({ data: sampleData(), view: FIRST_VIEW, nowMs: NOW_MS, unicode: true }).find(
            ({ name }) => name === "events",
          )?.rows[row]?.key;
          const input = inputOf({ columns, rows, view: { pane: "events", selected: { events: key ?? "" } } });
          const chosen = frameOf(input).filter(({ spans }) => spans.some(({ tone }) => tone === "chosen"));
          expect(chosen).toHaveLength(1);
        },
      ),
    );
  });
});

describe("the plain frame", () => {
  it("given no terminal, when printed once, then every list is there in full, without colours", async () => {
    const text = plainFrame({
      data: sampleData(),
      load: LOAD,
      nowMs: NOW_MS,
      columns: undefined,
      colours: false,
      unicode: true,
    });
    await expect(text).toMatchFileSnapshot(golden("once"));
  });
});

describe("painting", () => {
  it("given tones, when painted, then neighbours share one sequence and the line ends plain", () => {
    const spans = [
      { text: "a", tone: "good" },
      { text: "b", tone: "good" },
      { text: "c", tone: "plain" },
      { text: "d", tone: "chosen" },
    ] as const;
    expect(painted({ spans }, true)).toBe("\u001b[0;32mab\u001b[0mc\u001b[0;7md\u001b[0m");
    expect(painted({ spans }, false)).toBe("abc\u001b[0;7md\u001b[0m");
  });
});
