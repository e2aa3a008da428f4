import { missingAccess } from "../resource/agent-access.ts";
import type { Caller } from "../resource/caller.ts";
import type { Verb } from "../resource/verb.ts";
import type { ApiResource } from "./api-resource.ts";
import { forbidden, unauthorized } from "./status.ts";
import { ApiStatusError } from "../errors/town-error.ts";

/** Tells who a bearer token belongs to; undefined for a token that is unknown or no longer valid. */
export interface Authenticator {
  authenticate(token: string): Promise<Caller | undefined> | Caller | undefined;
}

export type AccessVerb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";

const READS: ReadonlySet<string> = new Set(["get", "list", "watch"]);

/** Headers by which `kubectl --as` acts for somebody else. */
const IMPERSONATION = ["impersonate-user", "impersonate-group", "impersonate-uid"];

/** The caller of a request. Throws 401 without a valid bearer token, 403 when it wants to act for somebody else. */
export async function authenticate(
  authenticator: Authenticator,
  header: (name: string) => string | undefined,
): Promise<Caller> {
  const token = /^Bearer +(\S+)$/i.exec(header("authorization") ?? "")?.[1];
  const caller = token === undefined ? undefined : await authenticator.authenticate(token);
  if (caller === undefined) throw unauthorized();
  const other = IMPERSONATION.map(header).find((value) => value !== undefined);
  if (other !== undefined) {
    const message = `users "${other}" is forbidden: User "${caller.name}" cannot impersonate: a token acts for its holder alone`;
    throw new ApiStatusError(403, "Forbidden", message, { hint: "Leave out --as, or use that person's own token." });
  }
  const origin = originOf(header);
  return origin === undefined || caller.origin !== undefined ? caller : { ...caller, origin };
}

/** `kubectl apply` as kubectl says itself, else the first word of the User-Agent. */
function originOf(header: (name: string) => string | undefined): string | undefined {
  const text = header("kubectl-command") ?? header("user-agent")?.split("/")[0];
  return text?.replace(/[^\x20-\x7e]/g, "").slice(0, 60);
}

/** What somebody wants to do to a resource of the API. */
export interface AccessAttempt {
  readonly verb: AccessVerb;
  readonly resource: ApiResource;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

/**
 * May the caller do that to the resource? Everybody reads. `admin` and `loop` write all, `edit` writes what lives in a
 * namespace, `view` nothing. An agent writes what its Role's permissions name: `<verb>:<plural>` (`create:beads`),
 * `*:<plural>`, `apply` for every kind declared in git, or `*`. Throws 403.
 */
export function requireAccess(caller: Caller, attempt: AccessAttempt): void {
  const why = refusal(caller, attempt);
  if (why === undefined) return;
  const { verb, resource, subresource, namespace } = attempt;
  const what = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  throw forbidden(
    resource,
    attempt.name ?? "",
    `User "${caller.name}" cannot ${verb} resource "${what}" in API group "${resource.group}" ${where}: ${why}`,
  );
}

/** Why the caller may not; undefined when it may. */
export function refusal(caller: Caller, { verb, resource }: AccessAttempt): string | undefined {
  if (READS.has(verb) || caller.role === "admin" || caller.role === "loop") return undefined;
  switch (caller.role) {
    case "view":
      return "its role is view";
    case "edit":
      return resource.namespaced ? undefined : "its role is edit, cluster-scoped objects need admin";
    case "agent":
      return agentMayWrite(caller.permissions ?? [], verb, resource)
        ? undefined
        : missingAccess(wordsFor(verb, resource));
    default:
      return caller.role satisfies never;
  }
}

function agentMayWrite(permissions: readonly string[], verb: AccessVerb, resource: ApiResource): boolean {
  const named = wordsFor(verb, resource);
  return permissions.some((permission) => named.includes(permission));
}

function wordsFor(verb: AccessVerb, resource: ApiResource): readonly string[] {
  const words = [`${verb}:${resource.plural}`, `*:${resource.plural}`, "*"];
  return resource.definition?.truth === "Desired" ? [...words, "apply"] : words;
}

/** What a program that is no session (a plugin's) may call: the other verbs take who has no session for a person. */
const WITHOUT_SESSION: ReadonlySet<string> = new Set(["mail send", "escalate"]);

const RANK = { view: 0, edit: 1, admin: 2, loop: 3 } as const;

/** Agents call what needs `agent` or `view`, and verbs their permissions name; people what their role reaches. Throws 403. */
export function requireVerbAccess(caller: Caller, verb: Verb): void {
  if (mayCall(caller, verb)) return;
  throw new ApiStatusError(
    403,
    "Forbidden",
    `verb "${verb.name}" is forbidden: User "${caller.name}" has role ${caller.role}, it needs ${verb.needs}${caller.role === "agent" ? `; ${missingAccess([verb.name])}` : ""}`,
    {
      details: { name: verb.name, group: "work.town.dev", kind: "verbs" },
    },
  );
}

function mayCall(caller: Caller, verb: Verb): boolean {
  if (verb.needs === "view") return true;
  if (caller.role === "agent")
    return (
      (verb.needs === "agent" && (caller.session !== undefined || WITHOUT_SESSION.has(verb.name))) ||
      (caller.permissions ?? []).some((permission) => permission === verb.name || permission === "*")
    );
  return RANK[caller.role] >= RANK[verb.needs === "agent" ? "edit" : verb.needs];
}
