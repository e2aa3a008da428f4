import { z } from "zod";
import type { ApiStatusError } from "../../src/errors/town-error.ts";
import type { TruthWrite, TruthWriter } from "../../src/ports/object-store.ts";
import type { Caller } from "../../src/resource/caller.ts";
import { defineKind } from "../../src/resource/kind-definition.ts";
import { kindRegistry } from "../../src/resource/kind-registry.ts";
import type { Verb } from "../../src/resource/verb.ts";
import { type Api, type ApiOptions, createApi } from "../../src/server/api.ts";
import { createStore, type Store, type StoreOptions } from "../../src/store/store.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { VirtualClock } from "../../src/simulation/virtual-clock.ts";

const condition = z.object({
  type: z.string().describe("What is stated."),
  status: z.enum(["True", "False", "Unknown"]).describe("Whether it holds."),
  reason: z.string().optional().describe("One word-group."),
  message: z.string().optional().describe("For people."),
  lastTransitionTime: z.string().optional().describe("When status changed."),
  observedGeneration: z.int().optional().describe("Generation it is about."),
});

/** A kind nobody has: declared in git, with all that a kind may have. */
export const widget = defineKind({
  group: "town.dev",
  kind: "Widget",
  plural: "widgets",
  shortNames: ["wi"],
  scope: "Namespaced",
  truth: "Desired",
  description: "A Widget is a made-up thing.",
  spec: z.strictObject({
    role: z.string().min(1).describe("What it does."),
    replicas: z.int().min(0).default(1).describe("How many."),
    color: z.enum(["Red", "Blue"]).optional().describe("What it looks like."),
    size: z.union([z.int(), z.string()]).optional().describe("Number or percentage."),
    env: z
      .array(z.strictObject({ name: z.string().describe("Name."), value: z.string().optional().describe("Value.") }))
      .optional()
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
      .describe("Environment."),
    settings: z.record(z.string(), z.string()).optional().describe("Free settings."),
    extra: z.unknown().optional().describe("Anything."),
  }),
  status: z.object({
    replicas: z.int().optional().describe("How many there are."),
    selector: z.string().optional().describe("Label selector of its parts."),
    note: z.string().optional().describe("A remark."),
    observedGeneration: z.int().optional().describe("Generation seen."),
    conditions: z.array(condition).optional().describe("State."),
  }),
  columns: [
    { name: "Role", type: "string", jsonPath: ".spec.role", description: "What it does." },
    { name: "Desired", type: "integer", jsonPath: ".spec.replicas", description: "How many are wanted." },
    {
      name: "Ready",
      type: "string",
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      description: "Whether it works.",
    },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Age." },
    { name: "Color", type: "string", jsonPath: ".spec.color", description: "Looks.", priority: 1 },
  ],
  scale: {
    specReplicasPath: ".spec.replicas",
    statusReplicasPath: ".status.replicas",
    labelSelectorPath: ".status.selector",
  },
  selectableFields: [".spec.role"],
});

/** Owner of a namespace, cluster-scoped. */
export const rig = defineKind({
  group: "town.dev",
  kind: "Rig",
  plural: "rigs",
  scope: "Cluster",
  truth: "Desired",
  description: "A Rig owns a namespace.",
  spec: z.strictObject({ url: z.string().optional().describe("Where it is.") }),
  status: z.object({ note: z.string().optional().describe("A remark.") }),
  columns: [],
});

/** Work of the graph. */
export const chore = defineKind({
  group: "work.town.dev",
  kind: "Chore",
  plural: "chores",
  scope: "Namespaced",
  truth: "Work",
  description: "A Chore is work.",
  spec: z.strictObject({ title: z.string().describe("What to do.") }),
  status: z.object({ done: z.boolean().optional().describe("Whether it is done.") }),
  columns: [],
});

/** What runs, as observed. */
export const session = defineKind({
  group: "work.town.dev",
  kind: "Session",
  plural: "sessions",
  scope: "Namespaced",
  truth: "Observed",
  description: "A Session is a running program.",
  spec: z.object({
    agent: z.string().optional().describe("Who runs."),
    provider: z.string().optional().describe("What runs."),
  }),
  status: z.object({ conditions: z.array(condition).optional().describe("State.") }),
  columns: [],
});

export const KINDS = [rig, widget, chore, session];

/** Keeps what it is told in the store at once, as a commit would end up there. */
export class MemoryWriter implements TruthWriter {
  readonly writes: TruthWrite[] = [];
  refuse: ApiStatusError | undefined;
  readonly #store: () => Store;
  readonly #truth: "Desired" | "Work";

  constructor(store: () => Store, truth: "Desired" | "Work") {
    this.#store = store;
    this.#truth = truth;
  }

  async write(change: TruthWrite): Promise<void> {
    if (this.refuse !== undefined) throw this.refuse;
    this.writes.push(change);
    if (change.dryRun) return;
    const { key, after } = change;
    if (this.#truth === "Work") {
      await this.#store().project(key, after === undefined ? undefined : fields(after));
      return;
    }
    if (after === undefined) return this.#store().withdraw(key);
    await this.#store().declare(key, {
      ...fields(after),
      origin: { source: "town", path: `manifests/${key.name}.yaml`, line: 1, revision: "r1" },
    });
  }
}

function fields({ metadata, spec }: NonNullable<TruthWrite["after"]>) {
  const { labels, annotations } = metadata;
  return { ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }), spec };
}

export const CALLERS: Readonly<Record<string, Caller>> = {
  admin: { name: "overseer", role: "admin" },
  edit: { name: "ed@example.org", role: "edit" },
  view: { name: "vera@example.org", role: "view" },
  agent: {
    name: "api/polecats/toast",
    role: "agent",
    session: { namespace: "api", agent: "toast", generation: 1 },
    permissions: ["create:chores", "shout"],
  },
};

export interface WidgetTown {
  readonly store: Store;
  readonly api: Api;
  readonly clock: VirtualClock;
  readonly desired: MemoryWriter;
  readonly work: MemoryWriter;
}

/** A whole server around the made-up kinds, in memory; `Rig/api` exists. Tokens are the names of CALLERS. */
export async function widgetTown(
  more: {
    readonly api?: Partial<ApiOptions>;
    readonly store?: Partial<StoreOptions>;
    readonly verbs?: readonly Verb[];
  } = {},
): Promise<WidgetTown> {
  const clock = new VirtualClock({ turn: () => new Promise((done) => setImmediate(done)) });
  const random = seededRandom("widgets");
  const registry = kindRegistry(KINDS);
  const store: Store = await createStore({
    registry,
    clock,
    random,
    writers: () => ({ Desired: desired, Work: work }),
    ...more.store,
  });
  const desired = new MemoryWriter(() => store, "Desired");
  const work = new MemoryWriter(() => store, "Work");
  const api = createApi({
    registry,
    store,
    events: store,
    clock: more.store?.clock ?? clock,
    random,
    authenticator: { authenticate: (token) => CALLERS[token] },
    writers: { Desired: desired, Work: work },
    ...(more.verbs === undefined ? {} : { verbs: more.verbs }),
    ...more.api,
  });
  await store.declare(
    { kind: "Rig", name: "api" },
    { spec: {}, origin: { source: "town", path: "manifests/api.yaml", line: 1, revision: "r1" } },
  );
  store.startCollection();
  return { store, api, clock, desired, work };
}

export const WIDGETS = "/apis/town.dev/v1alpha1/namespaces/api/widgets";

export function widgetBody(
  name: string,
  spec: Readonly<Record<string, unknown>> = { role: "polish" },
  metadata: Readonly<Record<string, unknown>> = {},
) {
  return { apiVersion: "town.dev/v1alpha1", kind: "Widget", metadata: { name, ...metadata }, spec };
}

/** An answer's JSON: all that tests look at in answers of any kind. */
export interface Answered {
  readonly kind: string;
  readonly message: string;
  readonly reason: string;
  readonly code: number;
  readonly text: string;
  readonly gitVersion: string;
  readonly groupVersion: string;
  readonly resource: string;
  readonly name: string;
  readonly details: unknown;
  readonly verbs: readonly string[];
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly continue: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp: string;
  };
  readonly spec: { readonly role: string; readonly replicas: number };
  readonly status: { readonly phase: string; readonly note: string };
  readonly items: readonly Answered[];
  readonly groups: readonly Answered[];
  readonly resources: readonly Answered[];
  readonly versions: readonly Answered[];
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: Answered }[];
  readonly columnDefinitions: readonly {
    readonly name: string;
    readonly type: string;
    readonly format: string;
    readonly priority: number;
  }[];
  readonly paths: Readonly<
    Record<
      string,
      {
        readonly serverRelativeURL: string;
        readonly patch: {
          readonly parameters: readonly { readonly name: string }[];
          readonly "x-kubernetes-group-version-kind": unknown;
        };
      }
    >
  >;
  readonly components: { readonly schemas: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
}

/** Sends as JSON and reads JSON. */
export async function call(
  api: Api,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
) {
  const response = await api.app.request(`http://localhost${path}`, {
    method,
    headers: {
      authorization: "Bearer admin",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json =
    response.headers.get("content-type")?.startsWith("application/json") === true && text !== ""
      ? JSON.parse(text)
      : undefined;
  return { code: response.status, body: json as Answered, text, headers: response.headers };
}
