import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { isClaimed } from "../../domain/work-graph/record/facts.ts";
import { TownError } from "../../errors/town-error.ts";
import type { Call } from "../command.ts";
import { machineTypes } from "../values/issue-type.ts";

type Limits = Pick<Call, "context" | "author">;

/** People and sessions whose role manages beads may do everything. */
function isLimited({ context }: Limits): boolean {
  return context.session !== undefined && !context.session.managesBeads;
}

/**
 * What a session may not change: records of the machinery, and what another agent works on; `force` does not help.
 * Throws TownError `Forbidden`.
 */
export function requireMayChange(call: Limits, record: BeadRecord, what: string): void {
  if (!isLimited(call)) return;
  if (call.context.session?.changesBeads === false)
    throw forbidden(call, `${what} ${record.id}`, "its role lacks the permission CloseBeads");
  if (Object.hasOwn(machineTypes, record.issue_type) && record.created_by !== call.author.actor)
    throw forbidden(call, `${what} ${record.id}`, `beads of type ${record.issue_type} belong to the town`);
  const mayWord = what !== "close" && call.context.session?.seesToOthers === true;
  if (isClaimed(record) && record.assignee !== call.author.actor && !mayWord)
    throw forbidden(
      call,
      `${what} ${record.id}`,
      `${record.assignee ?? "somebody"} holds it; \`bd comment\` says what you know`,
    );
}

/** Commands that make records; the others that write change them. */
const MAKING: ReadonlySet<string> = new Set(["create", "q", "import"]);
/** For everybody: what one knows, that one is alive, and steps of the own work, which `close` tells apart itself. */
const FREE: ReadonlySet<string> = new Set(["comment", "heartbeat", "flush", "close"]);

/** Refuses a session whose role may not run a command that writes. Throws TownError `Forbidden`. */
export function requireMayRun({ session, actor }: Call["context"], command: string): void {
  if (session === undefined || session.managesBeads || FREE.has(command)) return;
  const isMaking = MAKING.has(command);
  if (isMaking ? session.createsBeads : session.changesBeads) return;
  const permission = isMaking ? "CreateBeads" : "CloseBeads";
  throw new TownError("Forbidden", `${actor} may not run bd ${command}: its role lacks the permission ${permission}`, {
    hint: "ask the mayor or the overseer: town mail send mayor",
  });
}

/** `--force` of a session does not reach beads that somebody else holds. */
export function mayForce(call: Limits, record: BeadRecord): boolean {
  return !isLimited(call) || !isClaimed(record) || record.assignee === call.author.actor;
}

/** Deleting is for people; a session takes back what it made itself while nobody works on it. */
export function requireMayDelete(call: Limits, record: BeadRecord): void {
  requireMayChange(call, record, "delete");
  if (!isLimited(call)) return;
  if (record.created_by !== call.author.actor)
    throw forbidden(call, `delete ${record.id}`, `${record.created_by ?? "somebody else"} made it`);
  if (isClaimed(record) && record.assignee !== call.author.actor)
    throw forbidden(call, `delete ${record.id}`, `${record.assignee} works on it`);
}

/** Keys under `town.` are the machinery's state: fences, generations, pinned heads. */
export function requireMaySetMetadata(call: Limits, keys: Iterable<string>): void {
  if (!isLimited(call)) return;
  for (const key of keys)
    if (key.startsWith("town.")) throw forbidden(call, `set metadata ${key}`, "keys under town. belong to the town");
}

/** Work on the caller's own hook ends by saying how, not by closing or dropping the bead. */
export function requireNotOnHook(call: Limits, id: string): void {
  const reason = call.context.guardClose?.(id);
  if (reason === undefined) return;
  throw new TownError("OnYourHook", reason, { hint: "town done" });
}

function forbidden({ author }: Limits, what: string, why: string): TownError {
  return new TownError("Forbidden", `${author.actor} may not ${what}: ${why}`, {
    hint: "ask the mayor or the overseer: town mail send mayor",
  });
}
