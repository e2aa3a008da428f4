import type { Api, ApiAnswer, ApiRequest } from "../../src/cli/connection/api.ts";
import { statusError } from "../../src/cli/connection/api-status.ts";
import type { ResourceType } from "../../src/cli/resources/discovery.ts";

/** An answer of the fake: status (default 200) with a JSON body, or lines of a stream. */
export interface FakeAnswer {
  readonly status?: number;
  readonly body?: unknown;
  readonly text?: string;
  readonly lines?: readonly unknown[];
  /** Over a socket: leave the stream open after its lines. */
  readonly staysOpen?: boolean;
}

export interface FakeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

type Columns = Readonly<
  Record<
    string,
    readonly { readonly name: string; readonly priority?: number; readonly cell: (object: FakeObject) => unknown }[]
  >
>;

export const RIG: ResourceType = type("town.dev", "Rig", "rigs", false, []);
export const POOL: ResourceType = {
  ...type("town.dev", "AgentPool", "agentpools", true, ["pool", "pools"]),
  subresources: ["status", "scale"],
};
export const AGENT: ResourceType = type("work.town.dev", "Agent", "agents", true, ["ag"]);
export const BEAD: ResourceType = type("work.town.dev", "Bead", "beads", true, ["bd"]);
const TYPES = [
  type("town.dev", "Town", "towns", false, []),
  RIG,
  POOL,
  type("town.dev", "Convoy", "convoys", true, ["cv"]),
  AGENT,
  BEAD,
  type("work.town.dev", "Escalation", "escalations", true, ["esc"]),
  type("work.town.dev", "MergeRequest", "mergerequests", true, ["mr"]),
  type("work.town.dev", "Session", "sessions", true, ["ses"]),
];

function type(
  group: string,
  kind: string,
  plural: string,
  namespaced: boolean,
  shortNames: readonly string[],
): ResourceType {
  const verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];
  return {
    group,
    version: "v1alpha1",
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames,
    categories: ["all", "town"],
    namespaced,
    verbs,
    subresources: ["status"],
  };
}

/**
 * A Kubernetes API in memory for the command line's tests: discovery, lists, tables, patches, deletes and watches of the
 * kinds above, and verbs. It keeps what it was asked in `requests`. It does not version, default or validate objects.
 */
export class FakeTown {
  readonly requests: ApiRequest[] = [];
  readonly objects: FakeObject[];
  /** Verb name to its answer. */
  readonly verbs = new Map<string, (args: Readonly<Record<string, unknown>>) => FakeAnswer>();
  /** Exact path (without query) to an answer that goes before everything else. */
  readonly routes = new Map<string, (request: ApiRequest) => FakeAnswer>();
  readonly events: unknown[] = [];
  #version = 100;
  readonly columns: Columns;

  constructor(objects: readonly FakeObject[] = [], columns: Columns = {}) {
    this.objects = [...objects];
    this.columns = columns;
  }

  get api(): Api {
    return { send: (request) => Promise.resolve(this.#send(request)), stream: (request) => this.#stream(request) };
  }

  /** Requests as `METHOD /path?query`, without discovery. */
  get asked(): string[] {
    return this.requests
      .filter(({ path }) => path !== "/apis" && path !== "/api")
      .map(({ method, path }) => `${method} ${decodeURIComponent(path)}`);
  }

  answer(request: ApiRequest): FakeAnswer {
    this.requests.push(request);
    const url = new URL(request.path, "http://town");
    const route = this.routes.get(url.pathname);
    if (route !== undefined) return route(request);
    if (url.pathname === "/apis") return { body: discovery(TYPES) };
    if (url.pathname === "/api") return { body: discovery([]) };
    if (url.pathname.endsWith("/events")) return this.#events(url);
    if (url.pathname.includes("/verbs")) return this.#verb(request, url);
    return this.#resource(request, url);
  }

  #send(request: ApiRequest): ApiAnswer {
    const { status = 200, body, text } = this.answer(request);
    return { status, contentType: "application/json", text: text ?? JSON.stringify(body), warnings: [] };
  }

  async *#stream(request: ApiRequest): AsyncGenerator<string> {
    const { status = 200, body, lines, text } = this.answer(request);
    await Promise.resolve();
    if (status !== 200) throw statusError({ status, text: JSON.stringify(body) });
    if (text !== undefined) yield text;
    for (const line of lines ?? []) yield `${JSON.stringify(line)}\n`;
  }

  #verb(request: ApiRequest, url: URL): FakeAnswer {
    const encoded = url.pathname.split("/verbs/")[1];
    const name = encoded === undefined ? undefined : decodeURIComponent(encoded);
    if (name === undefined)
      return { body: { kind: "VerbList", items: [...this.verbs.keys()].map((verb) => ({ name: verb })) } };
    const verb = this.verbs.get(name);
    if (verb === undefined) return notFound("verbs", "work.town.dev", name);
    return verb((JSON.parse(request.body ?? "{}") as { args: Record<string, unknown> }).args);
  }

  #events(url: URL): FakeAnswer {
    const fields = selector(url.searchParams.get("fieldSelector"));
    const items = this.events.filter((event) => fields.every(([path, value]) => at(event, path) === value));
    return { body: { kind: "EventList", metadata: { resourceVersion: "7" }, items } };
  }

  #resource(request: ApiRequest, url: URL): FakeAnswer {
    const match = /^\/apis\/([^/]+)\/v1alpha1(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(
      url.pathname,
    );
    const kind = TYPES.find((candidate) => candidate.group === match?.[1] && candidate.plural === match[3]);
    if (match === null || kind === undefined) return { status: 404, text: "404 page not found" };
    const [, , namespace, , name] = match;
    const fields = selector(url.searchParams.get("fieldSelector"));
    const labels = selector(url.searchParams.get("labelSelector"));
    const matching = this.objects.filter(
      (object) =>
        object.kind === kind.kind &&
        (namespace === undefined || object.metadata.namespace === namespace) &&
        (name === undefined || object.metadata.name === name) &&
        fields.every(([path, value]) => at(object, path) === value) &&
        labels.every(
          ([key, value]) => (object.metadata["labels"] as Record<string, string> | undefined)?.[key] === value,
        ),
    );
    if (name !== undefined) return this.#one(request, kind, name, matching[0]);
    if (request.accept?.includes("as=Table")) return { body: this.#table(kind, matching) };
    return {
      body: {
        apiVersion: `${kind.group}/v1alpha1`,
        kind: `${kind.kind}List`,
        metadata: { resourceVersion: "7" },
        items: matching.map(({ apiVersion: _a, kind: _k, ...rest }) => rest),
      },
    };
  }

  #one(request: ApiRequest, kind: ResourceType, name: string, object: FakeObject | undefined): FakeAnswer {
    if (object === undefined) return notFound(kind.plural, kind.group, name);
    if (request.method === "GET")
      return { body: request.accept?.includes("as=Table") ? this.#table(kind, [object]) : object };
    const dry = request.path.includes("dryRun=All");
    if (request.method === "DELETE") {
      if (!dry) this.objects.splice(this.objects.indexOf(object), 1);
      return { body: { kind: "Status", status: "Success", details: { name, uid: object.metadata["uid"] } } };
    }
    const patched = request.method === "PATCH" ? this.#patched(object, JSON.parse(request.body ?? "{}")) : object;
    if (!dry) this.objects[this.objects.indexOf(object)] = patched;
    return { body: patched };
  }

  /** A change raises resourceVersion; a patch that changes nothing does not. JSON patches change nothing here. */
  #patched(object: FakeObject, patch: unknown): FakeObject {
    const next = Array.isArray(patch) ? object : (merged(object, patch) as FakeObject);
    if (JSON.stringify(next) === JSON.stringify(object)) return object;
    this.#version += 1;
    return { ...next, metadata: { ...next.metadata, resourceVersion: String(this.#version) } };
  }

  #table(kind: ResourceType, objects: readonly FakeObject[]): unknown {
    const columns = this.columns[kind.kind] ?? [{ name: "Name", cell: (object: FakeObject) => object.metadata.name }];
    return {
      kind: "Table",
      apiVersion: "meta.k8s.io/v1",
      metadata: { resourceVersion: "7" },
      columnDefinitions: columns.map(({ name, priority }) => ({ name, type: "string", priority: priority ?? 0 })),
      rows: objects.map((object) => ({
        cells: columns.map(({ cell }) => cell(object) ?? null),
        object: { kind: "PartialObjectMetadata", metadata: object.metadata, spec: object.spec },
      })),
    };
  }
}

function discovery(types: readonly ResourceType[]): unknown {
  const groups = [...new Set(types.map((kind) => kind.group))];
  const items = groups.map((group) => ({
    metadata: { name: group },
    versions: [
      {
        version: "v1alpha1",
        resources: types
          .filter((kind) => kind.group === group)
          .map((kind) => ({
            resource: kind.plural,
            singularResource: kind.singular,
            scope: kind.namespaced ? "Namespaced" : "Cluster",
            shortNames: kind.shortNames,
            categories: kind.categories,
            responseKind: { group, version: "v1alpha1", kind: kind.kind },
            verbs: kind.verbs,
            subresources: kind.subresources.map((subresource) => ({ subresource })),
          })),
      },
    ],
  }));
  return { kind: "APIGroupDiscoveryList", items };
}

function notFound(plural: string, group: string, name: string): FakeAnswer {
  const message = `${plural}.${group} "${name}" not found`;
  return {
    status: 404,
    body: {
      kind: "Status",
      status: "Failure",
      message,
      reason: "NotFound",
      details: { name, group, kind: plural },
      code: 404,
    },
  };
}

function selector(text: string | null): readonly (readonly [string, string])[] {
  return (text ?? "")
    .split(",")
    .filter((part) => part !== "")
    .map((part) => part.split("=") as [string, string]);
}

function at(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);
}

/** RFC 7386. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(target as Record<string, unknown> | undefined) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}
