import { ageOf, humanDuration } from "../output/age.ts";
import { toneOf } from "../output/colour.ts";
import { bar, costText, tokensText } from "./amounts.ts";
import { type Column, tableOf } from "./columns.ts";
import { type Line, type Span, span } from "./line.ts";
import {
  HELD,
  type TopAgent,
  type TopConvoy,
  type TopData,
  type TopEvent,
  type TopMerge,
  type TopRig,
} from "./top-data.ts";
import type { AgentSort, PaneName, Target, TopView } from "./top-view.ts";

/** One list, ready to be drawn at any width. */
export interface Pane {
  readonly name: PaneName;
  readonly rows: readonly { readonly key: string; readonly target: Target }[];
  /** Said beside the title where rows are left out. */
  readonly note: string;
  draw(width: number): { readonly head: Line; readonly rows: readonly Line[] };
}

export interface PaneInput {
  readonly data: TopData;
  readonly view: TopView;
  readonly nowMs: number;
  /** The terminal shows more than ASCII. */
  readonly unicode: boolean;
}

/** All lists, in order; one of problems only where there are some. */
export function panesOf(input: PaneInput): readonly Pane[] {
  const { data } = input;
  return [
    agentPane(input),
    paneOf(input, {
      name: "convoys",
      rows: data.convoys,
      columns: convoyColumns(input),
      target: ({ namespace, name, suspended }) => ({
        kind: "Convoy",
        namespace,
        name,
        switch: { kind: "Convoy", namespace, name, suspended },
      }),
    }),
    paneOf(input, {
      name: "merges",
      rows: data.mergeRequests,
      columns: mergeColumns(input),
      target: ({ namespace, name, author }) => ({ kind: "MergeRequest", namespace, name, ...agentOf(author) }),
    }),
    paneOf(input, {
      name: "rigs",
      rows: data.rigs,
      columns: rigColumns(),
      target: ({ name, suspended }) => ({ kind: "Rig", name, switch: { kind: "Rig", name, suspended } }),
    }),
    ...(data.problems.length === 0 ? [] : [problemPane(input)]),
    paneOf(input, {
      name: "events",
      rows: data.events,
      columns: eventColumns(input),
      target: eventTarget,
      key: (event) => `${event.timeMs} ${event.kind}/${event.name} ${event.reason}`,
    }),
  ];
}

interface PaneSpec<Row> {
  readonly name: PaneName;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly target: (row: Row) => Target;
  /** Default: what it is about. */
  readonly key?: (row: Row) => string;
  readonly note?: string;
}

function paneOf<Row>({ view }: PaneInput, spec: PaneSpec<Row>): Pane {
  const wanted = view.filter.toLowerCase();
  const rows = spec.rows.filter((row) => wanted === "" || searchText(row).includes(wanted));
  const keyOf = spec.key ?? ((row: Row) => targetText(spec.target(row)));
  return {
    name: spec.name,
    rows: rows.map((row) => ({ key: keyOf(row), target: spec.target(row) })),
    note: spec.note ?? "",
    draw: (width) => tableOf(spec.columns, rows, width),
  };
}

export function targetText({ kind, namespace, name }: Target): string {
  return `${kind}/${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

function searchText(row: unknown): string {
  return Object.values(row as Readonly<Record<string, unknown>>)
    .filter((value) => typeof value === "string")
    .join(" ")
    .toLowerCase();
}

/** Of an identity `api/polecats/toast`; of a singleton such as `api/witness` too. */
function agentOf(identity: string | undefined): Pick<Target, "agent"> {
  const parts = identity?.split("/") ?? [];
  const name = parts.at(-1);
  return name === undefined || parts.length < 2 ? {} : { agent: `${parts[0] ?? "hq"}/${name}` };
}

function agentPane(input: PaneInput): Pane {
  const { data, view, nowMs } = input;
  const isPresent = (agent: TopAgent): boolean =>
    agent.session !== undefined || agent.hook !== undefined || agent.state !== "Stopped";
  const rows = view.showAll ? data.agents : data.agents.filter(isPresent);
  const hidden = data.agents.length - rows.length;
  return paneOf(input, {
    name: "agents",
    rows: sorted(rows, view.sort, nowMs),
    columns: agentColumns(input),
    target: ({ namespace, name, pool, poolSuspended }) => ({
      kind: "Agent",
      namespace,
      name,
      agent: `${namespace}/${name}`,
      switch: { kind: "AgentPool", namespace, name: pool, suspended: poolSuspended },
    }),
    note: hidden === 0 ? "" : `+${hidden} stopped`,
  });
}

/** Most urgent first. */
const STATE_ORDER = ["Zombie", "Stalled", "Unknown", "Starting", "Working", "Idle", "Stopped"];

function sorted(agents: readonly TopAgent[], sort: AgentSort, nowMs: number): readonly TopAgent[] {
  const rank: Readonly<Record<AgentSort, (agent: TopAgent) => number>> = {
    name: () => 0,
    state: (agent) => (HELD.has(agent.activity ?? "") ? 1.5 : STATE_ORDER.indexOf(agent.state)),
    // Longest without progress first; what has no work last.
    progress: (agent) => (agent.progressTime === undefined ? nowMs : Date.parse(agent.progressTime)),
    tokens: (agent) => -agent.tokens,
    cost: (agent) => -agent.costUSD,
  };
  return agents.toSorted((a, b) => rank[sort](a) - rank[sort](b));
}

function agentColumns({ nowMs }: PaneInput): readonly Column<TopAgent>[] {
  return [
    { title: "AGENT", cell: ({ namespace, name }) => span(`${namespace}/${name}`, "strong"), least: 12 },
    { title: "ROLE", cell: ({ role }) => span(role), drop: 4 },
    { title: "STATE", cell: stateCell },
    { title: "ACTIVITY", cell: ({ activity }) => span(activity ?? ""), optional: true, drop: 5 },
    { title: "HOOK", cell: ({ hook }) => span(hook ?? ""), least: 10 },
    { title: "STEP", cell: ({ step }) => span(step ?? ""), optional: true, least: 6, drop: 3 },
    {
      title: "MOVED",
      cell: ({ progressTime }) => span(progressTime === undefined ? "" : ageOf(progressTime, nowMs)),
      align: "right",
    },
    { title: "TOKENS", cell: ({ tokens }) => span(tokensText(tokens)), align: "right", optional: true, drop: 2 },
    { title: "COST", cell: ({ costUSD }) => span(costText(costUSD)), align: "right", optional: true, drop: 1 },
    { title: "TITLE", cell: ({ title }) => span(title ?? ""), least: 16 },
  ];
}

function stateCell({ state, activity, session }: TopAgent): Span {
  const shown = activity !== undefined && HELD.has(activity) ? activity : session === "Unknown" ? "Unknown" : state;
  return span(shown, HELD.has(shown) ? "doubt" : toneOf(shown));
}

const BAR_COLUMNS = 12;

function convoyColumns({ nowMs, unicode }: PaneInput): readonly Column<TopConvoy>[] {
  return [
    { title: "CONVOY", cell: ({ namespace, name }) => span(`${namespace}/${name}`, "strong"), least: 12 },
    {
      title: "PROGRESS",
      cell: ({ closed, total }) =>
        closed === undefined || total === undefined
          ? span("unknown", "doubt")
          : span(`${bar(closed, total, BAR_COLUMNS, unicode)} ${closed}/${total}`, closed === total ? "good" : "plain"),
    },
    { title: "WORKING", cell: ({ working }) => span(String(working)), align: "right", drop: 2 },
    { title: "MERGING", cell: ({ merging }) => span(String(merging)), align: "right", drop: 3 },
    { title: "SPENT", cell: ({ spent }) => span(spent ?? ""), align: "right", optional: true, drop: 1 },
    {
      title: "STATUS",
      cell: ({ status, suspended }) => span(suspended ? "Suspended" : status, toneOf(suspended ? "Suspended" : status)),
      least: 8,
    },
    { title: "AGE", cell: ({ createdTime }) => span(ageOf(createdTime, nowMs)), align: "right", drop: 4 },
  ];
}

function mergeColumns({ nowMs }: PaneInput): readonly Column<TopMerge>[] {
  return [
    { title: "MERGE REQUEST", cell: ({ namespace, name }) => span(`${namespace}/${name}`, "strong"), least: 12 },
    { title: "STATE", cell: ({ state }) => span(state, toneOf(state)) },
    { title: "BEAD", cell: ({ bead }) => span(bead), least: 6, drop: 2 },
    { title: "AUTHOR", cell: ({ author }) => span(author?.split("/").at(-1) ?? ""), least: 6, drop: 3 },
    { title: "AGE", cell: ({ createdTime }) => span(ageOf(createdTime, nowMs)), align: "right", drop: 4 },
    { title: "TITLE", cell: ({ title }) => span(title), least: 10 },
    { title: "REASON", cell: ({ reason }) => span(reason ?? "", "dim"), optional: true, least: 8, drop: 5 },
  ];
}

function rigColumns(): readonly Column<TopRig>[] {
  const count = (title: string, of: (work: NonNullable<TopRig["work"]>) => number): Column<TopRig> => ({
    title,
    cell: ({ work }) => (work === undefined ? span("?", "doubt") : span(String(of(work)))),
    align: "right",
  });
  return [
    { title: "RIG", cell: ({ name }) => span(name, "strong"), least: 12 },
    {
      title: "READY",
      cell: ({ ready, suspended }) => span(suspended ? "Suspended" : ready, toneOf(suspended ? "Suspended" : ready)),
    },
    {
      title: "BRANCH",
      cell: ({ branch }) => span(branch ?? "unknown", branch === undefined ? "doubt" : "plain"),
      least: 6,
      drop: 2,
    },
    count("TODO", (work) => work.ready),
    count("HOOKED", (work) => work.working),
    count("BLOCKED", (work) => work.blocked),
    count("MERGING", (work) => work.merging),
    {
      title: "TODAY",
      cell: ({ spentToday }) => span(spentToday ?? ""),
      align: "right",
      optional: true,
      drop: 1,
    },
  ];
}

function problemPane(input: PaneInput): Pane {
  return paneOf(input, {
    name: "problems",
    rows: input.data.problems,
    columns: [
      { title: "PROBLEM", cell: ({ object }) => span(object, "strong"), least: 16 },
      { title: "REASON", cell: ({ reason }) => span(reason, "bad"), least: 8 },
      { title: "MESSAGE", cell: ({ message }) => span(message), least: 16 },
    ],
    key: ({ object, reason, message }) => `${object} ${reason} ${message}`,
    target: ({ object }) => problemTarget(object),
  });
}

/** A problem names its object as `Kind/namespace/name`; one in a file belongs to the town. */
function problemTarget(text: string): Target {
  const [kind = "", ...names] = text.split("/");
  const name = names.at(-1);
  if (name === undefined || !/^[A-Z][A-Za-z]+$/.test(kind) || names.length > 2) return { kind: "Town", name: "hq" };
  const namespace = names.length === 2 ? names[0] : undefined;
  return {
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...(kind === "Agent" ? { agent: `${namespace ?? "hq"}/${name}` } : {}),
  };
}

function eventColumns({ nowMs }: PaneInput): readonly Column<TopEvent>[] {
  return [
    {
      title: "EVENT",
      cell: ({ timeMs }) => span(timeMs === 0 ? "" : humanDuration(nowMs - timeMs), "dim"),
      align: "right",
    },
    {
      title: "OBJECT",
      cell: ({ kind, name, namespace }) => span(`${kind}/${namespace === undefined ? "" : `${namespace}/`}${name}`),
      least: 14,
    },
    {
      title: "REASON",
      cell: ({ reason, type, count }) =>
        span(count > 1 ? `${reason} x${count}` : reason, type === "Warning" ? "bad" : "plain"),
      least: 10,
    },
    { title: "MESSAGE", cell: ({ message }) => span(message), least: 12 },
  ];
}

function eventTarget({ kind, namespace, name }: TopEvent): Target {
  const isAgent = kind === "Agent" || kind === "Session" || kind === "Sandbox";
  return {
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...(isAgent ? { agent: `${namespace ?? "hq"}/${name}` } : {}),
  };
}
