import type { Events } from "../ports/objects.ts";
import type { Caller } from "../resource/caller.ts";
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

/** Where the audit of verbs goes: there is one object for all of them, since their effects have events of their own. */
const AUDITED_ON = { kind: "Town", name: "hq" } as const;

/**
 * POST …/verbs/<name> with `{"args":{…}}`; the answer is a VerbResult, whatever its exit code. A person's call of a verb
 * that changes something leaves an Event: who called what, from where; not the arguments, which may hold secrets.
 */
export async function callVerb(
  verbs: VerbTable,
  name: string,
  request: ApiRequest,
  events: Events,
): Promise<VerbResult> {
  const verb = find(verbs, name);
  requireVerbAccess(request.caller, verb);
  const body = await readOptionalObject(request);
  const args = body["args"] ?? {};
  if (!isRecord(args)) throw badRequest(`args of verb "${name}" must be an object`);
  const result = await verb.run({ caller: request.caller, args, signal: request.signal() });
  if (verb.needs === "edit" || verb.needs === "admin") audit(verb, request.caller, events);
  return result;
}

function audit({ name }: Verb, { name: who, origin, role }: Caller, events: Events): void {
  if (role === "agent" || role === "loop") return;
  const from = origin === undefined ? "" : ` (${origin})`;
  events.record(AUDITED_ON, {
    type: "Normal",
    reason: "VerbCalled",
    message: `${who}${from} called ${name}`,
    actor: who,
  });
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
