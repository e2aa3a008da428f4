import { type AccessVerb, requireAccess } from "./access.ts";
import { answerReview, type ReviewKind, reviewOf } from "./access-reviews.ts";
import type { ResourceCatalog } from "./api-resource.ts";
import { renderOne } from "./answer-shape.ts";
import { booleanParameter, type ResourceRequest, type ResourceTarget } from "./api-request.ts";
import { create } from "./creating.ts";
import { remove, removeAll } from "./deleting.ts";
import { type Reading, readList, readOne, renderingOf } from "./reading.ts";
import { methodNotAllowed, notFound } from "./status.ts";
import { readScale, writeScale, writeStatus } from "./subresources.ts";
import { patch, replace } from "./updating.ts";
import type { WatchHub } from "./watch-hub.ts";
import { watch } from "./watching.ts";
import { type Answer, writable, type Writing } from "./writing-context.ts";
import type { TownObject } from "../resource/object-meta.ts";

export interface ResourceApi {
  readonly reading: Reading;
  readonly writing: Writing;
  readonly hub: WatchHub;
  readonly catalog: ResourceCatalog;
  /** A subresource that the resource brings itself (`pods/log`), for reading; undefined when it has none of that name. */
  special?(request: ResourceRequest): Promise<Response> | undefined;
  /** The answer to a GET that is measured at that moment and in no store; undefined for all other resources. */
  measured?(request: ResourceRequest): Promise<Answer> | undefined;
}

type Route = (api: ResourceApi, request: ResourceRequest) => Promise<Answer> | Answer;

interface Guarded {
  readonly verb: AccessVerb;
  readonly run: Route;
}

const COLLECTION: Readonly<Record<string, Guarded>> = {
  GET: { verb: "list", run: (api, request) => ({ code: 200, body: readList(api.reading, request) }) },
  POST: { verb: "create", run: (api, request) => create(api.writing, request) },
  DELETE: { verb: "deletecollection", run: (api, request) => removeAll(api.writing, request) },
};

const OBJECT: Readonly<Record<string, Guarded>> = {
  GET: { verb: "get", run: (api, request) => ({ code: 200, body: readOne(api.reading, request) }) },
  PUT: { verb: "update", run: (api, request) => replace(api.writing, request) },
  PATCH: { verb: "patch", run: (api, request) => patch(api.writing, request) },
  DELETE: { verb: "delete", run: (api, request) => remove(api.writing, request) },
};

const STATUS: Readonly<Record<string, Guarded>> = {
  GET: OBJECT["GET"] as Guarded,
  PUT: { verb: "update", run: (api, request) => writeStatus(api.writing, request) },
  PATCH: { verb: "patch", run: (api, request) => writeStatus(api.writing, request) },
};

/** What an answer is to the outside: a body to be written as JSON, a stream of a watch, or a ready response. */
export type ResourceAnswer = Answer | { readonly stream: ReadableStream<Uint8Array> } | Response;

/** One request on a resource, its subresources and watches included. Throws ApiStatusError. */
export async function serveResource(api: ResourceApi, request: ResourceRequest): Promise<ResourceAnswer> {
  const review = reviewOf(request.resource);
  if (review !== undefined) return serveReview(api, request, review);
  if (request.method === "GET" && request.subresource === undefined) {
    const answer = api.measured?.(request);
    if (answer !== undefined) {
      requireAccess(request.caller, { ...targetOf(request), verb: request.name === undefined ? "list" : "get" });
      return answer;
    }
  }
  if (request.method === "GET" && request.subresource === undefined && booleanParameter(request.query, "watch")) {
    requireAccess(request.caller, { ...targetOf(request), verb: "watch" });
    return { stream: watch(api.reading, api.hub, request) };
  }
  const special = request.subresource === undefined ? undefined : api.special?.(request);
  if (special !== undefined) return special;
  const routes = routesOf(request);
  const route = Object.hasOwn(routes, request.method) ? routes[request.method] : undefined;
  if (route === undefined)
    throw methodNotAllowed(
      `${request.method} is not supported on ${pathText(request)}: use ${Object.keys(routes).join(", ")}`,
    );
  // What nobody can write says why, whoever asks.
  if (request.method !== "GET") writable(request);
  requireAccess(request.caller, { ...targetOf(request), verb: route.verb });
  const answer = await route.run(api, request);
  return request.method === "GET" ? answer : { ...answer, body: shaped(api, request, answer.body) };
}

async function serveReview(api: ResourceApi, request: ResourceRequest, kind: ReviewKind): Promise<Answer> {
  if (request.method !== "POST" || request.name !== undefined)
    throw methodNotAllowed(`${request.method} is not supported on ${pathText(request)}: use POST`);
  return { code: 201, body: await answerReview(api.catalog, request, kind) };
}

function routesOf(request: ResourceRequest): Readonly<Record<string, Guarded>> {
  const { resource, subresource } = request;
  if (request.name === undefined) return COLLECTION;
  if (subresource === undefined) return OBJECT;
  const { scale } = resource;
  if (subresource === "status" && resource.definition !== undefined) return STATUS;
  if (subresource !== "scale" || scale === undefined)
    throw notFound({ ...resource, plural: `${resource.plural}/${subresource}` }, request.name);
  const write: Route = (api, scaleRequest) => writeScale(api.writing, scaleRequest, scale);
  return {
    GET: {
      verb: "get",
      run: (api, scaleRequest) => ({ code: 200, body: readScale(api.reading, scaleRequest, scale) }),
    },
    PUT: { verb: "update", run: write },
    PATCH: { verb: "patch", run: write },
  };
}

/** Writes answer in the shape that was asked for, too: `kubectl apply -o wide` asks for a Table. */
function shaped(api: ResourceApi, request: ResourceRequest, body: unknown): unknown {
  const rendering = renderingOf(request, api.reading.clock);
  const isObject = (body as { readonly kind?: unknown }).kind === request.resource.kind;
  return isObject ? renderOne(request.resource, body as TownObject, rendering) : body;
}

function targetOf({ resource, namespace, name, subresource }: ResourceRequest): ResourceTarget {
  return {
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

function pathText({ resource, name, subresource }: ResourceRequest): string {
  return [resource.plural, name, subresource].filter((part) => part !== undefined).join("/");
}
