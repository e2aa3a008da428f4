import { DEMO_BEADS } from "./beads.ts";

export interface ConvoyView {
  readonly closed: boolean;
  readonly items: readonly { readonly name: string; readonly bead?: string; readonly state?: string }[];
}

export interface BeadView {
  readonly id: string;
  readonly assignee: string | undefined;
  readonly attempts: number;
}

const WIDTH = Math.max(...DEMO_BEADS.map((bead) => bead.name.length));

/** What there is to say between two looks at the convoy, a line each. Pure. */
export function progressLines(
  former: ConvoyView | undefined,
  now: ConvoyView,
  beads: ReadonlyMap<string, BeadView>,
  formerBeads: ReadonlyMap<string, BeadView>,
): readonly string[] {
  const lines: string[] = [];
  for (const item of now.items) {
    const before = former?.items.find((other) => other.name === item.name);
    const bead = item.bead === undefined ? undefined : beads.get(item.bead);
    const formerBead = item.bead === undefined ? undefined : formerBeads.get(item.bead);
    const sentBack = (bead?.attempts ?? 0) > (formerBead?.attempts ?? 0);
    if (sentBack) lines.push(row(item.name, "sent back", "the library's tests failed; it starts again with their log"));
    if (before?.state === item.state && before?.bead === item.bead) continue;
    const text = stateText(item.state, bead?.assignee);
    if (text !== undefined) lines.push(row(item.name, text[0], text[1]));
  }
  return lines;
}

function row(name: string, state: string, note: string): string {
  return `${name.padEnd(WIDTH)}  ${state.padEnd(9)}  ${note}`.trimEnd();
}

function stateText(state: string | undefined, assignee: string | undefined): readonly [string, string] | undefined {
  switch (state) {
    case "Waiting":
      return ["waiting", "for what it depends on"];
    case "Working":
      return ["working", assignee === undefined ? "" : `by ${assignee}`];
    case "Merging":
      return ["merging", "the exact tree is tested"];
    case "Closed":
      return ["merged", ""];
    case "Blocked":
      return ["blocked", "a person must look"];
    default:
      return undefined;
  }
}
