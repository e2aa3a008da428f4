import { isRecord } from "../resource/equality.ts";
import { tableRenderer } from "../resource/table.ts";
import { type AccessVerb, refusal } from "./access.ts";
import type { ApiRequest } from "./api-request.ts";
import { type ApiResource, type ResourceCatalog, selectorPaths } from "./api-resource.ts";
import { subresourcesOf } from "./discovery.ts";
import { bytesOf, readFields, textOf, type WireField } from "./protobuf.ts";
import { contentType, type JsonObject, PROTOBUF_TYPE, readObject } from "./request-body.ts";
import { badRequest } from "./status.ts";
import type { Caller } from "../resource/caller.ts";

const REVIEWS = [
  { group: "authorization.k8s.io", version: "v1", kind: "SelfSubjectAccessReview" },
  { group: "authorization.k8s.io", version: "v1", kind: "SelfSubjectRulesReview" },
  { group: "authentication.k8s.io", version: "v1", kind: "SelfSubjectReview" },
  // kubectl 1.27 knows `auth whoami` only so.
  { group: "authentication.k8s.io", version: "v1beta1", kind: "SelfSubjectReview" },
] as const;

export type ReviewKind = (typeof REVIEWS)[number]["kind"];

/** Paths that are about no resource and that every token may read. */
const PATHS = [
  "/api",
  "/api/*",
  "/apis",
  "/apis/*",
  "/healthz",
  "/livez",
  "/metrics",
  "/openapi",
  "/openapi/*",
  "/readyz",
  "/version",
];

/** What callers may ask about themselves: `kubectl auth can-i` and `auth whoami`. They are posted and never kept. */
export function reviewResources(): readonly ApiResource[] {
  return REVIEWS.map(({ group, version, kind }) => ({
    group,
    version,
    kind,
    apiVersion: `${group}/${version}`,
    listKind: `${kind}List`,
    plural: `${kind.toLowerCase()}s`,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    namespaced: false,
    verbs: ["create"],
    table: tableRenderer([]),
    selectorPath: selectorPaths(() => undefined),
    storeKind: kind,
    view: (object) => object,
    fixed: [],
    readOnlyReason: "a review is answered and not kept",
  }));
}

/** Which review a resource is; undefined for all others. */
export function reviewOf({ group, kind }: ApiResource): ReviewKind | undefined {
  return REVIEWS.find((review) => review.group === group && review.kind === kind)?.kind;
}

/** POST of a review: its own body again with the status filled in. */
export async function answerReview(
  catalog: ResourceCatalog,
  request: ApiRequest & { readonly resource: ApiResource },
  kind: ReviewKind,
): Promise<JsonObject> {
  const spec = await readSpec(request, kind);
  const { caller, resource } = request;
  const answer = { kind, apiVersion: resource.apiVersion, metadata: { creationTimestamp: null } };
  switch (kind) {
    case "SelfSubjectAccessReview":
      return { ...answer, spec, status: accessStatus(catalog, caller, spec) };
    case "SelfSubjectRulesReview":
      return { ...answer, spec, status: rulesStatus(catalog, caller) };
    case "SelfSubjectReview":
      return { ...answer, status: { userInfo: { username: caller.name, groups: groupsOf(caller) } } };
    default:
      return kind satisfies never;
  }
}

function groupsOf(caller: Caller): readonly string[] {
  return ["system:authenticated", `town:${caller.role}`];
}

interface Verdict {
  readonly allowed: boolean;
  readonly reason?: string;
}

const YES: Verdict = { allowed: true };
const no = (reason: string): Verdict => ({ allowed: false, reason });

function accessStatus(catalog: ResourceCatalog, caller: Caller, spec: JsonObject): Verdict {
  const { resourceAttributes, nonResourceAttributes } = spec;
  if (isRecord(resourceAttributes)) return onResource(catalog, caller, resourceAttributes);
  if (!isRecord(nonResourceAttributes))
    throw badRequest("exactly one of spec.resourceAttributes and spec.nonResourceAttributes must be given");
  const path = text(nonResourceAttributes, "path");
  const isServed = PATHS.some((each) => (each.endsWith("/*") ? path.startsWith(each.slice(0, -1)) : path === each));
  if (text(nonResourceAttributes, "verb") !== "get") return no("only get is supported on such paths");
  return isServed ? YES : no(`${path} is not served`);
}

function onResource(catalog: ResourceCatalog, caller: Caller, attributes: JsonObject): Verdict {
  const [verb, group, plural, subresource] = ["verb", "group", "resource", "subresource"].map((field) =>
    text(attributes, field),
  ) as [string, string, string, string];
  if (plural === "*" || group === "*")
    return isAll(caller) ? YES : no(`the role of ${caller.name} is ${caller.role}, which does not reach everything`);
  const resource = catalog.resources.find((each) => each.group === group && each.plural === plural);
  if (resource === undefined) return no(`there is no resource ${plural} in group "${group}"`);
  const verbs = verbsOf(resource, subresource);
  if (verbs === undefined) return no(`${plural} have no subresource ${subresource}`);
  const wanted = verb === "*" ? verbs : [verb];
  const missing = wanted.find((each) => !verbs.includes(each));
  if (missing !== undefined || wanted.length === 0)
    return no(resource.readOnlyReason ?? `${plural} do not support ${missing ?? verb}`);
  const why = wanted.map((each) => whyNot(caller, resource, each)).find((each) => each !== undefined);
  return why === undefined ? YES : no(why);
}

function verbsOf(resource: ApiResource, subresource: string): readonly string[] | undefined {
  if (subresource === "") return resource.verbs;
  return subresourcesOf(resource).find(({ name }) => name === subresource)?.verbs;
}

/** Reviews are open to all; the rest as the access rules say. */
function whyNot(caller: Caller, resource: ApiResource, verb: string): string | undefined {
  if (reviewOf(resource) !== undefined) return undefined;
  return refusal(caller, { verb: verb as AccessVerb, resource });
}

function isAll({ role }: Caller): boolean {
  return role === "admin" || role === "loop";
}

function rulesStatus(catalog: ResourceCatalog, caller: Caller) {
  const rules = new Map<string, { verbs: readonly string[]; apiGroups: readonly string[]; resources: string[] }>();
  for (const resource of catalog.resources) {
    const parts = [{ name: "", verbs: resource.verbs }, ...subresourcesOf(resource)];
    for (const { name, verbs } of parts) {
      const allowed = verbs.filter((verb) => whyNot(caller, resource, verb) === undefined);
      if (allowed.length === 0) continue;
      const id = `${resource.group} ${allowed.join()}`;
      const rule = rules.get(id) ?? { verbs: allowed, apiGroups: [resource.group], resources: [] };
      rules.set(id, rule);
      rule.resources.push(name === "" ? resource.plural : `${resource.plural}/${name}`);
    }
  }
  return {
    resourceRules: [...rules.values()],
    nonResourceRules: [{ verbs: ["get"], nonResourceURLs: PATHS }],
    incomplete: false,
  };
}

function text(record: JsonObject, field: string): string {
  const value = record[field] ?? "";
  if (typeof value !== "string") throw badRequest(`${field} must be a string`);
  return value;
}

/** Spec of a review as JSON or as protobuf, which kubectl sends from 1.32 on. */
async function readSpec(request: ApiRequest, kind: ReviewKind): Promise<JsonObject> {
  if (contentType(request) === PROTOBUF_TYPE) return specOfProtobuf(await request.body(), kind);
  const { object: body } = await readObject(request);
  if (body["kind"] !== undefined && body["kind"] !== kind) throw badRequest(`the kind of the body must be ${kind}`);
  return isRecord(body["spec"]) ? body["spec"] : {};
}

const ENVELOPE = "k8s\0";
const RESOURCE_ATTRIBUTES = ["namespace", "verb", "group", "version", "resource", "subresource", "name"];
const PATH_ATTRIBUTES = ["path", "verb"];

/** Envelope {1: type, 2: object}, object {2: spec}; field numbers as in Kubernetes' generated.proto files. */
function specOfProtobuf(bytes: Uint8Array, kind: ReviewKind): JsonObject {
  const magic = new TextDecoder().decode(bytes.subarray(0, ENVELOPE.length));
  if (magic !== ENVELOPE)
    throw badRequest("the object provided is unrecognized: it does not begin as protobuf objects do");
  const envelope = readFields(bytes.subarray(ENVELOPE.length));
  const sent = textOf(readFields(bytesOf(envelope, 1) ?? new Uint8Array()), 2);
  if (sent !== kind) throw badRequest(`the kind of the body must be ${kind}, it is ${sent}`);
  const spec = readFields(bytesOf(readFields(bytesOf(envelope, 2) ?? new Uint8Array()), 2) ?? new Uint8Array());
  if (kind === "SelfSubjectRulesReview") return { namespace: textOf(spec, 1) };
  return {
    ...attributes(spec, 1, "resourceAttributes", RESOURCE_ATTRIBUTES),
    ...attributes(spec, 2, "nonResourceAttributes", PATH_ATTRIBUTES),
  };
}

function attributes(spec: readonly WireField[], field: number, name: string, names: readonly string[]): JsonObject {
  const bytes = bytesOf(spec, field);
  if (bytes === undefined) return {};
  const fields = readFields(bytes);
  const values = names
    .map((each, index) => [each, textOf(fields, index + 1)] as const)
    .filter(([, value]) => value !== "");
  return { [name]: Object.fromEntries(values) };
}
