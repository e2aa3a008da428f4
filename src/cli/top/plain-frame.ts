import { type FrameInput, header } from "./frame.ts";
import { fitted, type Line, line, plainLine } from "./line.ts";
import { painted } from "./paint.ts";
import { panesOf } from "./panes.ts";
import { FIRST_VIEW } from "./top-view.ts";
import type { TopData } from "./top-data.ts";

const COLUMNS = 120;
const MOST_EVENTS = 10;

/** The town as lines of text, every list in full but the events. */
export function plainFrame(input: {
  readonly data: TopData;
  readonly load: FrameInput["load"];
  readonly nowMs: number;
  /** Default 120. */
  readonly columns: number | undefined;
  readonly colours: boolean;
  readonly unicode: boolean;
}): string {
  const { data, load, columns = COLUMNS } = input;
  const panes = panesOf({
    data: { ...data, events: data.events.slice(0, MOST_EVENTS) },
    view: FIRST_VIEW,
    nowMs: input.nowMs,
    unicode: input.unicode,
  }).filter((pane) => pane.rows.length > 0);
  const lines: readonly Line[] = [
    ...header({ data, load, columns }),
    ...panes.flatMap((pane) => {
      const { head, rows } = pane.draw(columns);
      return [line(), head, ...rows];
    }),
  ];
  return lines
    .map(({ spans }) => ({ spans: fitted(spans, columns) }))
    .map((each) => `${input.colours ? painted(each, true) : plainLine(each)}\n`)
    .join("");
}
