import type { SessionRecord } from "../sessions/session-files.ts";

/** A pane that carries Town's labels, as tmux lists it. */
export interface PaneRow {
  readonly paneId: string;
  readonly labels: SessionRecord;
  readonly pid: number;
  readonly dead: boolean;
  /** Exit code of the first process; tmux may not know it yet though `dead`. */
  readonly deadStatus: number | undefined;
  readonly deadSignal: number | undefined;
  readonly lastActivityMs: number;
  readonly inMode: boolean;
  readonly title: string;
}

const FIELDS = [
  "pane_id",
  "@town_name",
  "@town_generation",
  "@town_namespace",
  "@town_agent",
  "@town_role",
  "@town_bead",
  "@town_command",
  "@town_started",
  "pane_pid",
  "pane_dead",
  "pane_dead_status",
  "pane_dead_signal",
  "window_activity",
  "pane_in_mode",
  "pane_title",
] as const;

const FIRST = "town";

/** Format for `list-panes -F`: one line a pane, fields separated by tabs, the free text last. */
export const PANE_FORMAT = [FIRST, ...FIELDS.map((field) => `#{${field}}`)].join("\t");

/** Pane options that label a session; values are URI-encoded so that any text survives lists and filters. */
export function paneLabels(record: SessionRecord): readonly (readonly [string, string])[] {
  return [
    ["@town_name", record.name],
    ["@town_generation", String(record.generation)],
    ["@town_namespace", encodeURIComponent(record.namespace)],
    ["@town_agent", encodeURIComponent(record.agent)],
    ["@town_role", encodeURIComponent(record.role)],
    ["@town_bead", encodeURIComponent(record.bead ?? "")],
    ["@town_command", encodeURIComponent(record.command)],
    ["@town_started", String(record.startedAtMs)],
  ];
}

/** Reads one line of such a list; undefined for panes that are not Town's. */
export function paneRowOf(line: string): PaneRow | undefined {
  const parts = line.split("\t");
  if (parts[0] !== FIRST || parts.length < FIELDS.length + 1) return undefined;
  const field = (name: (typeof FIELDS)[number]): string => parts[FIELDS.indexOf(name) + 1] ?? "";
  const number = (name: (typeof FIELDS)[number]): number | undefined =>
    field(name) === "" ? undefined : Number(field(name));
  const name = field("@town_name");
  const generation = number("@town_generation");
  if (name === "" || generation === undefined || !Number.isInteger(generation)) return undefined;
  const bead = decoded(field("@town_bead"));
  return {
    paneId: field("pane_id"),
    labels: {
      name,
      generation,
      namespace: decoded(field("@town_namespace")),
      agent: decoded(field("@town_agent")),
      role: decoded(field("@town_role")),
      ...(bead === "" ? {} : { bead }),
      command: decoded(field("@town_command")),
      startedAtMs: number("@town_started") ?? 0,
    },
    pid: number("pane_pid") ?? 0,
    dead: field("pane_dead") === "1",
    deadStatus: number("pane_dead_status"),
    deadSignal: number("pane_dead_signal"),
    lastActivityMs: (number("window_activity") ?? 0) * 1_000,
    inMode: field("pane_in_mode") !== "" && field("pane_in_mode") !== "0",
    title: parts.slice(FIELDS.indexOf("pane_title") + 1).join("\t"),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A person set the label by hand.
    return text;
  }
}
