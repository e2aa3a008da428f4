import type { EventObject } from "../../../src/cli/output/describe.ts";
import { LiveObjects } from "../../../src/cli/top/live-objects.ts";
import { topData, type TopData } from "../../../src/cli/top/top-data.ts";

/** 2026-01-02T00:00:00Z, the time of every frame. */
export const NOW_MS = Date.UTC(2026, 0, 2);
const ago = (seconds: number): string => new Date(NOW_MS - seconds * 1_000).toISOString();

interface Given {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

const ready = (reason: string, status = "True"): object => ({
  conditions: [{ type: "Ready", status, reason, message: `${reason} it is`, lastTransitionTime: ago(60) }],
});

const agent = (name: string, role: string, state: string, status: object = {}): Given => ({
  kind: "Agent",
  namespace: "api",
  name,
  spec: { identity: `api/${role}s/${name}`, role, pool: `${role}s` },
  status: { state, ...status },
});

const work = { ready: 4, working: 3, blocked: 7, deferred: 1, merging: 2 };
const OBJECTS: readonly Given[] = [
  {
    kind: "Town",
    name: "hq",
    spec: { capacity: { sessions: 30 } },
    status: {
      health: "Healthy",
      runtime: "Answering",
      sync: { status: "Synced", appliedRevision: `main@sha1:${"1a2b3c4d".repeat(5)}` },
      work,
      usageToday: { total: 1_234_567, costUSD: 4.21 },
      spentToday: "$4.21/$10.00",
    },
  },
  { kind: "Rig", name: "api", spec: {}, status: { ...ready("RigReady"), branch: "main", work, spentToday: "$4.00" } },
  { kind: "Rig", name: "web", spec: { suspend: true }, status: { ...ready("Cloning", "Unknown") } },
  { kind: "AgentPool", namespace: "api", name: "crews", spec: { suspend: true }, status: {} },
  agent("toast", "polecat", "Working", {
    hook: "api-x1",
    title: "Let people reset their password by mail",
    step: "implement",
    activity: "Busy",
    progressTime: ago(42),
    usage: { total: 812_345, costUSD: 3.1 },
  }),
  agent("max", "polecat", "Working", {
    hook: "api-x2",
    title: "支払いページを直す 💳 and say so",
    step: "verify",
    activity: "RateLimited",
    progressTime: ago(1_900),
    usage: { total: 4_200, costUSD: 0.004 },
  }),
  agent("nux", "polecat", "Stalled", {
    hook: "api-x3",
    title: "An escape \u001b[2J in a title",
    step: "submit",
    progressTime: ago(7_300),
    ...ready("CrashLoop", "False"),
  }),
  agent("rictus", "polecat", "Stopped", {}),
  agent("furiosa", "crew", "Idle", { activity: "Idle" }),
  agent("slit", "crew", "Idle", {}),
  ...["toast", "max", "nux", "furiosa"].map((name) => ({
    kind: "Session",
    namespace: "api",
    name,
    spec: { agent: name },
    status: { state: "Running" },
  })),
  { kind: "Session", namespace: "api", name: "slit", spec: { agent: "slit" }, status: { state: "Unknown" } },
  {
    kind: "Convoy",
    namespace: "hq",
    name: "passwords",
    spec: {},
    status: { ...ready("Underway"), closed: 3, total: 8, working: 2, merging: 1, spent: "$3.90/$5.00" },
  },
  { kind: "Convoy", namespace: "hq", name: "new", spec: {}, status: {} },
  {
    kind: "MergeRequest",
    namespace: "api",
    name: "api-m1",
    spec: { bead: "api-x9", title: "Rename the token table", author: "api/polecats/toast" },
    status: { state: "Testing" },
  },
  { kind: "MergeRequest", namespace: "api", name: "api-m0", spec: { bead: "api-x0" }, status: { state: "Merged" } },
  {
    kind: "Escalation",
    namespace: "api",
    name: "api-e1",
    spec: { title: "which mail provider?", severity: 1 },
    status: { state: "open" },
  },
];

const EVENTS: readonly EventObject[] = Array.from({ length: 30 }, (_, index) => ({
  type: index % 7 === 3 ? "Warning" : "Normal",
  reason: index % 7 === 3 ? "SessionEnded" : "StepClosed",
  message: `the event of ${index * 5} seconds ago, told at some length so that it has to be cut`,
  count: index === 3 ? 4 : 1,
  lastTimestamp: ago(index * 5),
  involvedObject: { kind: "Agent", namespace: "api", name: index % 2 === 0 ? "toast" : "max" },
  metadata: { name: `event-${index}`, namespace: "api" },
}));

/** A town with a bit of everything: limits, stalls, unknowns, wide characters, an escape sequence in a title. */
export function sampleObjects(): LiveObjects {
  const objects = new LiveObjects();
  const kinds = new Set(OBJECTS.map(({ kind }) => kind));
  for (const kind of kinds)
    objects.replace(
      kind,
      OBJECTS.filter((given) => given.kind === kind).map(({ namespace, name, spec, status }) => ({
        metadata: { ...(namespace === undefined ? {} : { namespace }), name, creationTimestamp: ago(5_400) },
        spec,
        status,
      })),
    );
  objects.replace("Event", EVENTS);
  return objects;
}

export function sampleData(): TopData {
  return topData(sampleObjects(), "acme-town");
}
