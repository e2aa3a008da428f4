import { humanDuration } from "../output/age.ts";
import { toneOf } from "../output/colour.ts";
import { cutToWidth, displayWidth } from "../output/terminal-text.ts";
import { costText, tokensText } from "./amounts.ts";
import { heightsOf } from "./heights.ts";
import { apart, fitted, graphemes, type Line, line, raw, type Span, span } from "./line.ts";
import type { Pane } from "./panes.ts";
import type { TopData } from "./top-data.ts";
import type { Page, PaneName, TopView } from "./top-view.ts";

export interface FrameInput {
  readonly data: TopData;
  readonly panes: readonly Pane[];
  readonly view: TopView;
  readonly columns: number;
  readonly rows: number;
  /** Load averages over 1, 5 and 15 minutes, and processors. */
  readonly load: { readonly averages: readonly number[]; readonly processors: number } | undefined;
  /** Since how long the daemon does not answer, ms; absent while it does. */
  readonly lostForMs?: number | undefined;
}

/** From this width on the lower lists stand beside each other. */
const WIDE = 110;
/** With fewer rows than this they stand above each other all the same. */
const LEAST_SPLIT_ROWS = 20;
const HEADER_ROWS = 2;
const SIDE_GAP = 3;
/** Rows that a page does not have: header, its title, and the last line. */
export const PAGE_MARGIN_ROWS = HEADER_ROWS + 2;

/** The whole screen: exactly `rows` lines, none wider than `columns`. */
export function frameOf(input: FrameInput): readonly Line[] {
  const { columns, rows, view } = input;
  if (rows < HEADER_ROWS + 3) return cutAt([header(input)[0] ?? line(), ...body(input, rows - 2), footer(input)], rows);
  const space = rows - HEADER_ROWS - 1;
  const inner = view.page === undefined ? body(input, space) : pageLines(view.page, columns, space);
  return [...header(input), ...filledTo(inner, space), footer(input)];
}

function cutAt(lines: readonly Line[], rows: number): readonly Line[] {
  return filledTo(lines.slice(0, Math.max(0, rows)), rows);
}

function filledTo(lines: readonly Line[], rows: number): readonly Line[] {
  return [...lines.slice(0, rows), ...Array.from({ length: Math.max(0, rows - lines.length) }, () => line())];
}

/** The town and its agents, for the screen and for a plain frame. */
export function header({
  data: { town },
  columns,
  load,
  lostForMs,
}: Omit<FrameInput, "panes" | "view" | "rows">): Line[] {
  const health = town.suspended ? "Suspended" : town.health;
  const revision = town.revision?.replace(/^(.*)@sha1:([0-9a-f]{7})[0-9a-f]*$/, "$1@$2");
  const troubled = town.runtime !== undefined && town.runtime !== "Answering";
  const first: Span[] = [
    raw("Town ", "dim"),
    span(town.name, "strong"),
    raw("  "),
    span(town.sync, toneOf(town.sync)),
    ...(revision === undefined ? [] : [span(` ${revision}`)]),
    raw("  "),
    span(health, toneOf(health)),
    ...(troubled ? [span(`  runtime ${town.runtime ?? ""}`, "bad")] : []),
  ];
  const connection =
    lostForMs === undefined ? loadSpans(load) : [span(`disconnected for ${humanDuration(lostForMs)}, retrying`, "bad")];
  return [apart(first, connection, columns), apart(agentSpans(town), spendSpans(town, columns >= WIDE), columns)];
}

function loadSpans(load: FrameInput["load"]): readonly Span[] {
  if (load === undefined) return [];
  const [now = 0] = load.averages;
  const text = load.averages.map((each) => each.toFixed(2)).join(" ");
  return [
    raw("load ", "dim"),
    span(text, now > load.processors * 2 ? "bad" : "plain"),
    span(` of ${load.processors}`, "dim"),
  ];
}

function agentSpans(town: TopData["town"]): readonly Span[] {
  const { work } = town;
  if (town.sessions === undefined) return [raw("Agents ", "dim"), raw("not known yet", "doubt")];
  const counts: readonly (readonly [string, Span["tone"]])[] = [
    [`${town.sessions}${town.capacity === undefined ? "" : `/${town.capacity}`} running`, "strong"],
    [`${town.working} working`, "plain"],
    ...(town.stalled === 0 ? [] : [[`${town.stalled} stalled`, "bad"] as const]),
    ...(town.held === 0 ? [] : [[`${town.held} held`, "doubt"] as const]),
    ...(work === undefined
      ? []
      : [
          [`${work.ready} to do`, "plain"] as const,
          [`${work.blocked} blocked`, "plain"] as const,
          [`${work.merging} merging`, "plain"] as const,
        ]),
  ];
  return counts.flatMap(([text, tone], index) => [
    ...(index === 0 ? [raw("Agents ", "dim")] : [raw("  ")]),
    span(text, tone),
  ]);
}

function spendSpans({ today, spentToday }: TopData["town"], withTokens: boolean): readonly Span[] {
  const money = spentToday ?? costText(today.costUSD);
  const tokens = tokensText(today.tokens);
  if (money === "" && tokens === "") return [];
  const isSaid = money !== "" && (!withTokens || money.includes("tokens"));
  const parts = [money, isSaid || tokens === "" ? "" : `${tokens} tokens`].filter((part) => part !== "");
  return [raw("today ", "dim"), span(parts.join("  "), "strong")];
}

function body(input: FrameInput, space: number): readonly Line[] {
  const { panes, columns, view } = input;
  if (columns < WIDE || space < LEAST_SPLIT_ROWS) return stacked(input, panes, columns, space);
  const left = panes.filter((pane) => LEFT.has(pane.name));
  const right = panes.filter((pane) => RIGHT.has(pane.name));
  const [agents, events] = [panes.find(({ name }) => name === "agents"), panes.find(({ name }) => name === "events")];
  if (agents === undefined || events === undefined) return stacked(input, panes, columns, space);
  const middleRows = Math.max(needOf(left), needOf(right));
  const isMiddle = LEFT.has(view.pane) || RIGHT.has(view.pane);
  const [upper = 0, middle = 0, lower = 0] = heightsOf(
    [
      { name: "agents", rows: agents.rows.length },
      { name: "convoys", rows: middleRows },
      { name: "events", rows: events.rows.length },
    ],
    isMiddle ? "convoys" : view.pane,
    space - 2,
  );
  const side = Math.floor((columns - SIDE_GAP) / 2);
  return [
    ...drawn(input, agents, columns, upper),
    line(),
    ...besides(stacked(input, left, side, middle), stacked(input, right, columns - side - SIDE_GAP, middle), side),
    line(),
    ...drawn(input, events, columns, lower),
  ];
}

const LEFT: ReadonlySet<PaneName> = new Set(["convoys", "rigs"]);
const RIGHT: ReadonlySet<PaneName> = new Set(["merges", "problems"]);

/** Rows of lists above each other, with a gap between them. */
function needOf(panes: readonly Pane[]): number {
  return panes.reduce((sum, pane) => sum + 1 + pane.rows.length, panes.length - 1);
}

function besides(left: readonly Line[], right: readonly Line[], width: number): readonly Line[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, index) => {
    const near = fitted((left[index] ?? line()).spans, width);
    return { spans: [...near, raw(" ".repeat(SIDE_GAP)), ...(right[index] ?? line()).spans] };
  });
}

function stacked(input: FrameInput, panes: readonly Pane[], width: number, space: number): readonly Line[] {
  const heights = heightsOf(
    panes.map(({ name, rows }) => ({ name, rows: rows.length })),
    input.view.pane,
    space,
  );
  const spare = space - heights.reduce((sum, height) => sum + height, 0);
  const shown = panes.map((pane, index) => ({ pane, height: heights[index] ?? 0 })).filter(({ height }) => height > 0);
  const separated = spare >= shown.length - 1;
  return shown.flatMap(({ pane, height }, index) => [
    ...(separated && index > 0 ? [line()] : []),
    ...drawn(input, pane, width, height),
  ]);
}

/** The list in `height` rows, its title line included, so that the chosen row can be seen. */
function drawn({ view, data }: FrameInput, pane: Pane, width: number, height: number): readonly Line[] {
  const { head, rows } = pane.draw(width);
  const isFocused = pane.name === view.pane && view.page === undefined;
  const chosen = Math.max(
    0,
    pane.rows.findIndex((row) => row.key === view.selected[pane.name]),
  );
  const title = headOf(head, pane, {
    isFocused,
    isKnown: data.town.sessions !== undefined,
    left: rows.length,
    shown: height - 1,
    width,
  });
  const from = Math.max(0, Math.min(chosen - Math.floor((height - 1) / 2), rows.length - (height - 1)));
  return [
    title,
    ...rows.slice(from, from + height - 1).map(({ spans }, index) => {
      const isChosen = isFocused && from + index === chosen;
      return { spans: fitted(isChosen ? spans.map(({ text }) => raw(text, "chosen")) : spans, width) };
    }),
  ];
}

function headOf(
  head: Line,
  pane: Pane,
  at: {
    readonly isFocused: boolean;
    readonly isKnown: boolean;
    readonly left: number;
    readonly shown: number;
    readonly width: number;
  },
): Line {
  const tone = at.isFocused ? "accent" : "dim";
  const notes = [
    at.left === 0 ? (at.isKnown ? "none" : "not known yet") : at.left > at.shown ? `${at.shown} of ${at.left}` : "",
    pane.note,
  ];
  const note = notes.filter((each) => each !== "").join(", ");
  const spans = head.spans.map((each) => ({ ...each, tone }) as Span);
  return note === "" ? { spans: fitted(spans, at.width) } : apart(spans, [span(`(${note})`, "dim")], at.width);
}

/** Lines of a page that fit below its title; a place behind its end shows the end. */
export function pageTop({ top, lines }: Page, space: number): number {
  const last = Math.max(0, lines.length - (space - 1));
  return top === "End" ? last : Math.min(top, last);
}

function pageLines(page: Page, columns: number, space: number): readonly Line[] {
  const top = pageTop(page, space);
  const rest = page.lines.length - top - (space - 1);
  const more = rest > 0 ? [span(`${rest} more lines`, "dim")] : [];
  return [
    apart([span(page.title, "accent")], more, columns),
    ...page.lines.slice(top, top + space - 1).map((text) => line(span(cutToWidth(text, columns)))),
  ];
}

const KEYS = "tab list  j/k row  enter describe  p peek  a attach  n nudge  / filter  ? help  q quit";
const NARROW_KEYS = "tab j/k  enter describe  p peek  a attach  n nudge  / filter  ? help  q quit";
const PAGE_KEYS = "j/k scroll  q back";

function footer({ view, columns }: FrameInput): Line {
  const { prompt, notice, page } = view;
  if (prompt !== undefined) return promptLine(prompt, columns);
  if (notice !== undefined) return { spans: fitted([span(notice.text, notice.isError ? "bad" : "good")], columns) };
  const state = [
    view.filter === "" ? "" : `filter "${view.filter}"`,
    view.sort === "name" ? "" : `by ${view.sort}`,
    view.showAll ? "all agents" : "",
  ].filter((each) => each !== "");
  const keys = page === undefined ? (columns < 90 ? NARROW_KEYS : KEYS) : PAGE_KEYS;
  return apart([span(keys, "dim")], state.length === 0 ? [] : [span(state.join(", "), "accent")], columns);
}

function promptLine(prompt: NonNullable<TopView["prompt"]>, columns: number): Line {
  if (prompt.kind === "Confirm") return { spans: fitted([span(`${prompt.question} (y/n)`, "accent")], columns) };
  const label = prompt.kind === "Filter" ? "filter: " : `nudge ${prompt.agent}: `;
  const room = Math.max(4, columns - displayWidth(label) - 2);
  // The end of what is typed must be seen.
  const shown = graphemes(prompt.text);
  while (displayWidth(shown.join("")) > room) shown.shift();
  return line(raw(label, "accent"), span(shown.join("")), raw("_", "accent"));
}
