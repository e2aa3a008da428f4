import { ApiStatusError } from "../errors/town-error.ts";
import type { PERMISSIONS } from "../kinds/role/role.schema.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { Caller } from "../resource/caller.ts";

export type Permission = (typeof PERMISSIONS)[number];

/** Whether the caller may: people by their role (`edit` and above), agents by the permissions of theirs. */
export function isPermitted(caller: Caller, permission: Permission): boolean {
  if (caller.role === "agent")
    return (caller.permissions ?? []).some((granted) => granted === permission || granted === "*");
  return caller.role !== "view";
}

/**
 * Refuses a caller whose role does not have the permission. `what` says what was tried, as "put work on the hook of
 * api/witness". Throws 403 that names role permission and next command.
 */
export function requirePermission(
  caller: Caller,
  permission: Permission,
  what: string,
  ports: Pick<LoopPorts, "objects">,
): void {
  if (isPermitted(caller, permission)) return;
  const who = caller.session === undefined ? `your role is ${caller.role}` : `Role '${roleOf(caller, ports)}'`;
  throw new ApiStatusError(
    403,
    "Forbidden",
    `${caller.name} may not ${what}: ${who} lacks the permission ${permission}`,
    {
      hint: hintFor(caller),
    },
  );
}

function roleOf(caller: Caller, ports: Pick<LoopPorts, "objects">): string {
  const { namespace = "hq", agent = "" } = caller.session ?? {};
  const object = ports.objects.get({ kind: "Agent", namespace, name: agent });
  const role = object?.spec["role"];
  return typeof role === "string" ? role : "unknown";
}

function hintFor(caller: Caller): string {
  if (caller.session === undefined) return "ask the overseer";
  return isPermitted(caller, "SendMail")
    ? 'town mail send overseer -s "please" -m "…"'
    : 'town done --outcome Question --reason "…"';
}
