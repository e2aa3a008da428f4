import { arch, platform } from "node:os";
import { Hono } from "hono";
import { ApiStatusError } from "../errors/town-error.ts";
import type { Clock } from "../ports/clock.ts";
import { type Log, silentLog } from "../ports/log.ts";
import type { MachineUse } from "../ports/machine-use.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { ObjectStore, TruthWriter } from "../ports/object-store.ts";
import type { Events } from "../ports/objects.ts";
import type { Random } from "../ports/random.ts";
import type { Truth } from "../resource/kind-definition.ts";
import type { KindRegistry } from "../resource/kind-registry.ts";
import type { Verb } from "../resource/verb.ts";
import { authenticate, type Authenticator } from "./access.ts";
import { reviewResources } from "./access-reviews.ts";
import type { ApiRequest, ResourceRequest } from "./api-request.ts";
import { type ApiResource, type ResourceCatalog, resourceCatalog, resourceOfKind } from "./api-resource.ts";
import { PinnedLists } from "./continue-token.ts";
import { BUILT_IN_NAMESPACES, eventResource, namespaceResource, serviceResource } from "./core-resources.ts";
import { namespaceNameCauses } from "./creating.ts";
import { noteDenial } from "./denial.ts";
import { discoverGroup, discoverGroups, discoverVersion } from "./discovery.ts";
import { explainVerb } from "./explain-verb.ts";
import { json, largeJson } from "./json-answer.ts";
import { KeyLock } from "./key-lock.ts";
import { meaningOf, type PathMeaning } from "./paths.ts";
import { OpenApiDocuments } from "./open-api-documents.ts";
import { type LogSource, servePod } from "./pod-logs.ts";
import { podResource } from "./pods.ts";
import { nodeResource } from "./nodes.ts";
import { findObject } from "./reading.ts";
import { collectBody } from "./request-body.ts";
import { type ResourceApi, serveResource } from "./resource-routes.ts";
import { forbidden, methodNotAllowed, notFound, statusOf } from "./status.ts";
import { callVerb, describeVerb, listVerbs, type VerbTable, verbTable } from "./verb-calls.ts";
import { measured as measuredUse, metricsResources } from "./usage-metrics.ts";
import { WatchHub } from "./watch-hub.ts";
import { withSourceColumn } from "./source-column.ts";

export interface ApiOptions {
  readonly registry: KindRegistry;
  readonly store: ObjectStore;
  /** Where the audit of writes goes; the store of this project is one. */
  readonly events: Events;
  readonly clock: Clock;
  readonly random: Random;
  readonly authenticator: Authenticator;
  /** Per truth, who makes writes true. A truth without one answers 405. */
  readonly writers?: Partial<Readonly<Record<Truth, TruthWriter>>>;
  /** Verbs beyond CRUD. Default: none. */
  readonly verbs?: readonly Verb[];
  /** Default: silent. */
  readonly log?: Log;
  /** Kind whose objects own the namespace of their name. Default `Rig`. */
  readonly namespaceKind?: string;
  /** Names that the namespace kind may not have, beside the built-in namespaces and kube-*. Default: `overseer`. */
  readonly reservedNames?: readonly string[];
  /** Kind shown as core/v1 Pods. Default `Session`; not registered: there are no pods. */
  readonly sessionKind?: string;
  /** What processes take of this machine, for `kubectl top`. Default: not served. */
  readonly machine?: MachineUse;
  /** Output of sessions, for `kubectl logs`. Default: none is kept. */
  readonly logs?: LogSource;
  /** Where requests are counted and timed. Default: nowhere. */
  readonly metrics?: Metrics;
  /** What `/metrics` answers, for Prometheus. Default: there is no such path. */
  readonly exposition?: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Files for browsers, such as a dashboard's: answered to GET without a token, so nothing in them may be secret. */
  readonly pages?: (path: string) => Response | undefined;
  /** What `/version` says of this program. */
  readonly version?: string;
  /** False makes `/readyz` answer 500 with the reasons. */
  readonly problems?: () => readonly string[];
}

/** The HTTP API as a fetch function, with what its owner must end. */
export interface Api {
  /** A Hono application: `api.app.request(path, init)` answers without a socket. */
  readonly app: Hono;
  /** Open watches, for status pages. */
  readonly watches: () => number;
  /** Ends every watch so that connections can close. */
  close(): void;
}

/**
 * Builds the API server's application: discovery, REST for every registered kind, Events, namespaces, verbs, health.
 * Every request needs a bearer token that the authenticator knows.
 */
export function createApi(options: ApiOptions): Api {
  const log = options.log ?? silentLog;
  const catalog = resourceCatalog(resourcesOf(options));
  const hub = new WatchHub({ store: options.store, clock: options.clock, log });
  const api: ResourceApi = {
    reading: { store: options.store, clock: options.clock, pins: new PinnedLists(options.clock) },
    writing: writingOf(options, catalog),
    hub,
    catalog,
    special: (request) =>
      request.resource.kind === "Pod" && request.resource.group === ""
        ? servePod({ store: options.store, clock: options.clock, source: options.logs }, request)
        : undefined,
    ...(options.machine === undefined ? {} : { measured: measuring(options, options.machine) }),
  };
  const verbs = verbTable([explainVerb(options.registry), ...(options.verbs ?? [])]);
  const served: Served = { options, catalog, api, verbs, openApi: new OpenApiDocuments(catalog) };
  const app = new Hono();
  app.onError((error) => answerError(error, log));
  app.notFound(() => text(404, "404 page not found\n"));
  app.all("*", async (context) => {
    requireLocal(context.req.header("host"), context.req.header("origin"));
    const url = new URL(context.req.url);
    const page = context.req.method === "GET" ? options.pages?.(url.pathname) : undefined;
    if (page !== undefined) return page;
    const header = (name: string): string | undefined => context.req.header(name);
    const caller = await authenticate(options.authenticator, header);
    const segments = segmentsOf(url.pathname);
    const request: ApiRequest = {
      method: context.req.method,
      query: url.searchParams,
      caller,
      signal: () => context.req.raw.signal,
      header,
      body: () => collectBody(context.req.raw),
    };
    const began = options.clock.monotonicMs();
    const response = await answer(served, segments, request).catch((error: unknown) => {
      if (error instanceof ApiStatusError && error.code === 403) {
        log.info({ caller: caller.name, origin: caller.origin, method: request.method, path: url.pathname }, "refused");
        noteDenial(caller, error.message, options.events);
      }
      return answerError(error, log);
    });
    measured(served, {
      method: request.method,
      segments,
      code: response.status,
      tookMs: options.clock.monotonicMs() - began,
    });
    return response;
  });
  return { app, watches: () => hub.size, close: () => hub.close() };
}

function measuring({ store, clock }: ApiOptions, machine: MachineUse): NonNullable<ResourceApi["measured"]> {
  return (request) => measuredUse({ store, clock, machine }, request);
}

interface Served {
  readonly options: ApiOptions;
  readonly catalog: ResourceCatalog;
  readonly api: ResourceApi;
  readonly verbs: VerbTable;
  readonly openApi: OpenApiDocuments;
}

interface Answered {
  readonly method: string;
  readonly segments: readonly string[];
  readonly code: number;
  readonly tookMs: number;
}

/** Labels are few: methods, codes, and names that the server itself serves. */
function measured({ options, catalog, verbs, api }: Served, { method, segments, code, tookMs }: Answered): void {
  const { metrics } = options;
  if (metrics === undefined) return;
  const meaning = meaningOf(segments, catalog);
  const verb = meaning.kind === "Verbs" && verbs.has(meaning.name ?? "") ? `verbs/${meaning.name ?? ""}` : undefined;
  const resource = meaning.kind === "Resource" ? meaning.resource.plural : (verb ?? "other");
  metrics.count("town_api_requests_total", {
    method: METHODS.has(method) ? method : "other",
    resource,
    code: String(code),
  });
  metrics.observeSeconds("town_api_request_duration_seconds", { resource }, tookMs / 1000);
  metrics.gauge("town_api_watches", {}, api.hub.size);
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);

async function answer(served: Served, segments: readonly string[], request: ApiRequest): Promise<Response> {
  const [root] = segments;
  if (root === "api" || root === "apis") return answerApi(served, meaningOf(segments, served.catalog), request);
  requireGet(request);
  if (root === "openapi" && segments[1] === "v2" && segments.length === 2) return served.openApi.v2(request);
  if (root === "openapi" && segments[1] === "v3") {
    if (segments.length === 2) return served.openApi.index(request);
    return served.openApi.document(request, segments.slice(2).join("/")) ?? text(404, "404 page not found\n");
  }
  if (root === "metrics" && served.options.exposition !== undefined) {
    const { contentType, text: body } = await served.options.exposition();
    return new Response(body, {
      status: 200,
      headers: { "content-type": contentType, "cache-control": "no-cache, private" },
    });
  }
  if (root === "version" && segments.length === 1) return json(200, versionBody(served.options.version ?? "0.0.0"));
  if (root === "healthz" || root === "livez") return text(200, "ok");
  if (root === "readyz") return readiness(served.options.problems?.() ?? []);
  return text(404, "404 page not found\n");
}

async function answerApi(served: Served, meaning: PathMeaning, request: ApiRequest): Promise<Response> {
  const { catalog, api, verbs } = served;
  switch (meaning.kind) {
    case "Resource":
      return answerResource(api, { ...request, ...meaning });
    case "Verbs":
      if (request.method === "GET")
        return json(200, meaning.name === undefined ? listVerbs(verbs) : describeVerb(verbs, meaning.name));
      if (request.method !== "POST" || meaning.name === undefined)
        throw methodNotAllowed("verbs are called by POST and listed by GET");
      return json(200, await callVerb(verbs, meaning.name, request, served.options.events));
    case "Groups": {
      requireGet(request);
      const { body, contentType } = discoverGroups(catalog, request.header("accept"), meaning.core);
      return json(200, body, { "content-type": contentType, vary: "Accept" });
    }
    case "Group":
      requireGet(request);
      return found(discoverGroup(catalog, meaning.group));
    case "Version":
      requireGet(request);
      return found(discoverVersion(catalog, meaning.group, meaning.version));
    case "Review":
      throw new ApiStatusError(
        404,
        "NotFound",
        `${meaning.resource} are not served: callers ask about themselves, with kubectl auth can-i and kubectl auth whoami`,
      );
    case "Unknown":
      return text(404, "404 page not found\n");
    default:
      return meaning satisfies never;
  }
}

async function answerResource(api: ResourceApi, request: ResourceRequest): Promise<Response> {
  const result = await serveResource(api, request);
  if (result instanceof Response) return result;
  if ("stream" in result) {
    return new Response(result.stream, {
      status: 200,
      headers: {
        "content-type": "application/json",
        "transfer-encoding": "chunked",
        "cache-control": "no-cache, private",
      },
    });
  }
  const response = await largeJson(result.code, result.body, request.header("accept-encoding"));
  for (const warning of result.warnings ?? []) response.headers.append("warning", `299 - ${headerText(warning)}`);
  return response;
}

/** A quoted-string of RFC 9110 in plain ASCII. */
function headerText(value: string): string {
  return `"${value
    .replace(/[^\x20-\x7e]/g, "?")
    .replace(/["\\]/g, "\\$&")
    .slice(0, 500)}"`;
}

function resourcesOf(options: ApiOptions): readonly ApiResource[] {
  const { registry, writers, namespaceKind, sessionKind, clock, store } = options;
  const kinds = registry.kinds.map((definition) => {
    const resource = resourceOfKind(definition, writers?.[definition.truth] !== undefined);
    return definition.truth === "Desired" ? { ...resource, table: withSourceColumn(resource.table, store) } : resource;
  });
  const pods = registry.get(sessionKind ?? "Session") === undefined ? [] : [podResource(sessionKind ?? "Session")];
  const { machine } = options;
  const metrics =
    machine === undefined ? [] : [nodeResource(machine, clock.now()), ...metricsResources(sessionKind ?? "Session")];
  return [
    eventResource(),
    namespaceResource(namespaceKind ?? "Rig", clock.now()),
    ...pods,
    serviceResource(),
    ...kinds,
    ...metrics,
    ...reviewResources(),
  ];
}

function writingOf(options: ApiOptions, catalog: ResourceCatalog): ResourceApi["writing"] {
  const { store, clock, random, events, writers } = options;
  const namespaceKind = options.namespaceKind ?? "Rig";
  const namespaces = catalog.find("", "v1", "namespaces");
  const reserved = [...BUILT_IN_NAMESPACES, ...(options.reservedNames ?? ["overseer"])];
  return {
    store,
    clock,
    random,
    events,
    writers: writers ?? {},
    locks: new KeyLock(),
    nameCauses: (definition, name) => (definition.kind === namespaceKind ? namespaceNameCauses(name, reserved) : []),
    requireNamespace: (namespace) => {
      if (namespaces === undefined) return;
      const found = findObject(store, namespaces, undefined, namespace);
      if (found === undefined) throw notFound(namespaces, namespace);
      if (found.metadata.deletionTimestamp !== undefined)
        throw forbidden(
          namespaces,
          namespace,
          `unable to create new content in namespace ${namespace} because it is being terminated`,
        );
    },
  };
}

/** Web pages must not reach the API: only loopback names are answered, and no page of another origin. */
function requireLocal(host: string | undefined, origin: string | undefined): void {
  const name = host?.replace(/:\d+$/, "").toLowerCase();
  if (name !== undefined && name !== "localhost" && name !== "127.0.0.1" && name !== "[::1]") {
    throw new ApiStatusError(403, "Forbidden", `host '${name}' is not served: use 127.0.0.1 or localhost`);
  }
  if (origin !== undefined && origin !== `https://${host ?? ""}` && origin !== `http://${host ?? ""}`) {
    throw new ApiStatusError(403, "Forbidden", "requests from web pages of another origin are refused");
  }
}

function segmentsOf(pathname: string): readonly string[] {
  try {
    return pathname.replace(/^\//, "").replace(/\/$/, "").split("/").map(decodeURIComponent);
  } catch {
    throw new ApiStatusError(400, "BadRequest", "the path is not valid: it has a broken %-escape");
  }
}

function requireGet({ method }: ApiRequest): void {
  if (method !== "GET" && method !== "HEAD") throw methodNotAllowed("only GET is supported here");
}

function readiness(problems: readonly string[]): Response {
  return problems.length === 0
    ? text(200, "ok")
    : text(500, `${problems.map((problem) => `[-]${problem}`).join("\n")}\nreadyz check failed\n`);
}

/** kubectl wants a Kubernetes version here, and a wrapper that picks a kubectl by it wants one that exists. */
function versionBody(version: string) {
  return {
    major: "1",
    minor: "32",
    gitVersion: `v1.32.0+town.${version}`,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "",
    compiler: "node",
    platform: `${platform()}/${arch()}`,
  };
}

function found(body: unknown): Response {
  return body === undefined ? text(404, "404 page not found\n") : json(200, body);
}

function text(status: number, body: string): Response {
  return new Response(body, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-cache, private" },
  });
}

function answerError(error: unknown, log: Log): Response {
  const body = statusOf(error);
  if (body.code >= 500 && !(error instanceof ApiStatusError)) log.error({ err: error }, "request failed");
  return json(body.code, body, body.code === 401 ? { "www-authenticate": "Bearer" } : {});
}
