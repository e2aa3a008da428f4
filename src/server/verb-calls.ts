import { isRecord } from "../resource/equality.ts";
import type { Verb, VerbResult } from "../resource/verb.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import { requireVerbAccess } from "./access.ts";
import type { ApiRequest } from "./api-request.ts";
import { readOptionalObject } from "./request-body.ts";
import { badRequest } from "./status.ts";

export type VerbTable = ReadonlyMap<string, Verb>;

export function verbTable(verbs: readonly Verb[]): VerbTable {
  return new Map(verbs.map((verb) => [verb.name, verb]));
}

/** GET …/verbs: what there is to call. */
export function listVerbs(verbs: VerbTable): unknown {
  const items = [...verbs.values()].map(describe).sort((a, b) => (a.name < b.name ? -1 : 1));
  return { kind: "VerbList", apiVersion: "work.town.dev/v1alpha1", metadata: {}, items };
}

/** GET …/verbs/<name>. */
export function describeVerb(verbs: VerbTable, name: string): unknown {
  return { kind: "Verb", apiVersion: "work.town.dev/v1alpha1", ...describe(find(verbs, name)) };
}

/** POST …/verbs/<name> with `{"args":{…}}`; the answer is a VerbResult, whatever its exit code. */
export async function callVerb(verbs: VerbTable, name: string, request: ApiRequest): Promise<VerbResult> {
  const verb = find(verbs, name);
  requireVerbAccess(request.caller, verb);
  const body = await readOptionalObject(request);
  const args = body["args"] ?? {};
  if (!isRecord(args)) throw badRequest(`args of verb "${name}" must be an object`);
  return verb.run({ caller: request.caller, args, signal: request.signal() });
}

function find(verbs: VerbTable, name: string): Verb {
  const verb = verbs.get(name);
  if (verb !== undefined) return verb;
  throw new ApiStatusError(404, "NotFound", `verbs.work.town.dev "${name}" not found`, {
    details: { name, group: "work.town.dev", kind: "verbs" },
    hint: `Known verbs: ${[...verbs.keys()].sort().join(", ") || "none"}.`,
  });
}

function describe({ name, summary, needs }: Verb) {
  return { name, summary, needs };
}
