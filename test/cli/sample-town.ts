import { FakeTown, type FakeObject } from "./fake-town.ts";

const READY = {
  type: "Ready",
  status: "True",
  reason: "AllRunning",
  message: "3 of 3 agents run",
  lastTransitionTime: "2026-01-01T23:30:00Z",
  observedGeneration: 2,
};

const OBJECTS: readonly FakeObject[] = [
  {
    apiVersion: "town.dev/v1alpha1",
    kind: "Town",
    metadata: { name: "hq", uid: "t1", resourceVersion: "1", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: {},
    status: {
      health: "Degraded",
      runtime: "Answering",
      sync: {
        status: "OutOfSync",
        appliedRevision: "main@sha1:1a2b3c4",
        problems: [{ path: "manifests/web.yaml", line: 7, column: 3, message: "`spec.replicas` must be an integer" }],
      },
    },
  },
  {
    apiVersion: "town.dev/v1alpha1",
    kind: "Rig",
    metadata: {
      name: "api",
      uid: "r1",
      resourceVersion: "2",
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: { path: "/src/api" },
    status: { branch: "main", conditions: [{ ...READY, reason: "Cloned" }] },
  },
  {
    apiVersion: "town.dev/v1alpha1",
    kind: "Rig",
    metadata: {
      name: "web",
      uid: "r2",
      resourceVersion: "3",
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: { url: "https://example.com/web.git" },
    status: {
      conditions: [
        { ...READY, status: "False", reason: "CloneFailed", message: "git exited with 128: repository not found" },
      ],
    },
  },
  {
    apiVersion: "town.dev/v1alpha1",
    kind: "AgentPool",
    metadata: {
      name: "crew",
      namespace: "api",
      uid: "p1",
      resourceVersion: "4",
      generation: 2,
      creationTimestamp: "2026-01-01T23:00:00Z",
      labels: { team: "core", "town.dev/tier": "one" },
      annotations: { note: "the good ones" },
      managedFields: [{ manager: "town" }],
    },
    spec: { role: "crew", replicas: 3, provider: "claude" },
    status: { replicas: 3, working: 1, observedGeneration: 2, conditions: [READY] },
  },
  {
    apiVersion: "town.dev/v1alpha1",
    kind: "AgentPool",
    metadata: {
      name: "polecats",
      namespace: "web",
      uid: "p2",
      resourceVersion: "5",
      generation: 1,
      creationTimestamp: "2026-01-01T22:00:00Z",
    },
    spec: { role: "polecat", replicas: 10, provider: "codex", suspend: true },
    status: {},
  },
  agent("toast", "api", "a1", { state: "Working", hook: "api-x1", step: "implement" }),
  agent("ace", "api", "a2", { state: "Idle" }),
  agent("toast", "web", "a3", { state: "Stopped" }),
  {
    apiVersion: "work.town.dev/v1alpha1",
    kind: "Bead",
    metadata: {
      name: "api-x1",
      namespace: "api",
      uid: "b1",
      resourceVersion: "9",
      generation: 1,
      creationTimestamp: "2026-01-01T12:00:00Z",
    },
    spec: {
      id: "api-x1",
      title: "Fix the login page\u001b[31m at last",
      priority: 1,
      description: "Steps:\n\n1. open the page\n2. see the stack trace\n",
    },
    status: { state: "in_progress", assignee: "api/polecats/toast" },
  },
];

function agent(name: string, namespace: string, uid: string, status: Readonly<Record<string, unknown>>): FakeObject {
  return {
    apiVersion: "work.town.dev/v1alpha1",
    kind: "Agent",
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion: "6",
      generation: 1,
      creationTimestamp: "2026-01-01T20:00:00Z",
      ownerReferences:
        namespace === "api" ? [{ apiVersion: "town.dev/v1alpha1", kind: "AgentPool", name: "crew", uid: "p1" }] : [],
    },
    spec: { role: "polecat" },
    status,
  };
}

const name = { name: "Name", cell: (object: FakeObject) => object.metadata.name };
const age = { name: "Age", cell: () => "60m" };

/** A small town with something of everything: two rigs, pools, agents of the same name in two rigs, a broken file. */
export function sampleTown(): FakeTown {
  return new FakeTown(OBJECTS, {
    AgentPool: [
      name,
      { name: "Role", cell: (object) => object.spec?.["role"] },
      { name: "Replicas", cell: (object) => object.spec?.["replicas"] },
      { name: "Running", cell: (object) => object.status?.["replicas"] },
      age,
      { name: "Provider", priority: 1, cell: (object) => object.spec?.["provider"] },
    ],
    Agent: [
      name,
      { name: "State", cell: (object) => object.status?.["state"] },
      { name: "Hook", cell: (object) => object.status?.["hook"] },
      age,
    ],
    Bead: [
      name,
      { name: "Pri", cell: (object) => object.spec?.["priority"] },
      { name: "Title", cell: (object) => object.spec?.["title"] },
      age,
    ],
    Rig: [name, { name: "Branch", cell: (object) => object.status?.["branch"] }, age],
  });
}

/** Command lines with what they print, as one text for a golden file. */
export function transcript(
  runs: readonly { readonly line: string; readonly code: number; readonly out: string; readonly err: string }[],
): string {
  return runs
    .map(
      ({ line, code, out, err }) =>
        `$ town ${line}\n${out}${err === "" ? "" : err.replace(/^/gm, "! ").replace(/! $/, "")}[exit ${code}]\n`,
    )
    .join("\n");
}
