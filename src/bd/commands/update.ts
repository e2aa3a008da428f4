import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import type { BeadPatch } from "../../ports/work-graph.ts";
import { claimLease, settingsOf } from "../access/settings.ts";
import { storeOf } from "../access/find-bead.ts";
import { readInput } from "../access/files.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { also, flag, list, number, text, texts } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { listedBead } from "../output/bead-json.ts";
import { briefLine } from "../output/bead-line.ts";
import { cleanLine } from "../output/plain-text.ts";
import { customTypes, issueTypeOf } from "../values/issue-type.ts";
import { metadataOfText, metadataPairs } from "../values/metadata.ts";
import { priorityOf } from "../values/priority.ts";
import { statusesOf } from "../../domain/work-graph/record/statuses.ts";
import { statusOf } from "../values/status.ts";
import { timeOfText } from "../values/time.ts";
import type { BeadChange } from "../writes/change-bead.ts";
import { changeBead } from "../writes/change-bead.ts";
import { eachBead } from "../writes/each-bead.ts";
import { publishClaims } from "../writes/publish-claims.ts";
import { bodyFields, bodyFlags } from "./create.ts";

/** Of what claims a bead. */
export const syncFlag = flag("sync", "taken only once the remote has it, so that no other clone has it too");

export const updateCommand: BdCommand = {
  name: "update",
  group: "Issues",
  summary: "change beads, or claim one",
  args: "<id>...",
  flags: [
    flag("claim", "take it: you become the assignee, status in_progress; refused when somebody has it"),
    { ...syncFlag, help: `with --claim: ${syncFlag.help}` },
    text("status", "STATUS", "open, in_progress, blocked, deferred, closed, …", "s"),
    text("priority", "0-4", "0 is most urgent", "p"),
    text("title", "TEXT", "new title"),
    text("type", "TYPE", "new type", "t"),
    text("assignee", "NAME", 'who does it, or me; "" for nobody', "a"),
    ...bodyFlags,
    text("append-notes", "TEXT", "put behind the notes"),
    list("add-label", "LABEL", "labels to add"),
    list("remove-label", "LABEL", "labels to remove"),
    list("set-labels", "LABEL", "exactly these labels"),
    text("parent", "ID", 'new parent; "" for none'),
    text("metadata", "JSON", "replace the metadata; @FILE reads it"),
    texts("set-metadata", "KEY=VALUE", "set one fact; may be repeated"),
    list("unset-metadata", "KEY", "remove facts"),
    also(text("due", "TIME", '+6h, tomorrow, 2026-01-15; "" for none'), "due-at"),
    also(text("defer", "TIME", 'not ready before that time; "" for none'), "defer-until"),
    number("estimate", "MINUTES", "how long it may take", "e"),
    text("external-ref", "REF", "its name elsewhere"),
    text("spec-id", "SPEC", "document that specifies it"),
    flag("persistent", "make a wisp an ordinary bead"),
    flag("force", "although somebody else holds it"),
  ],
  examples: ["bd update api-x7k2m3 --claim", 'bd update api-x7k2m3 -p 0 --append-notes "seen again today"'],
  writes: true,
  run: updateBeads,
};

/** Changes the beads of a call as its flags say. */
export async function updateBeads(call: Call): Promise<Answer> {
  const [first] = call.args;
  const settings = await settingsOf(first === undefined ? call.home : storeOf(first, call.context), call.context);
  const change = await changeFrom(call, settings);
  if (Object.keys(change).filter((key) => key !== "force").length === 0)
    throw usageError("no updates specified", "bd update ID --claim takes a bead; see: bd help update");
  if (call.flags.isSet("sync") && change.claim !== true)
    throw usageError("--sync goes with --claim", "bd sync exchanges everything");
  const before = call.flags.isSet("sync") ? heldBy(call) : undefined;
  const changed = await eachBead(call, call.args, (tx, id) => changeBead(tx, id, change, call));
  const published = before === undefined ? undefined : await publishClaims(call, changed.done, before);
  const done = published?.held ?? changed.done;
  const notes = [...changed.notes, ...(published?.notes ?? [])];
  const exitCode = notes.length > 0 ? 1 : changed.exitCode;
  const verb = change.claim === true ? "Claimed" : "Updated";
  return {
    text: done
      .map(({ value }) =>
        call.isBrief
          ? briefLine(value)
          : `${call.paint("green", "✓")} ${verb} issue: ${value.id} - ${cleanLine(value.title)}`,
      )
      .join("\n"),
    json: done.map(({ graph, value }) => listedBead(graph, graph.get(value.id) ?? value)),
    notes: [
      ...notes,
      ...unclaimedNote(
        change,
        done.map(({ value }) => value),
        call,
      ),
    ],
    exitCode,
  };
}

/** The status alone keeps nobody else away, though much that is written about bd says so. */
function unclaimedNote({ patch }: BeadChange, changed: readonly BeadRecord[], { own }: Call): readonly string[] {
  if (patch?.status !== "in_progress") return [];
  const free = changed.filter(({ assignee }) => (assignee ?? "") === "").map(({ id }) => id);
  if (free.length === 0) return [];
  const is = free.length === 1 ? "is" : "are";
  const ids = free.join(" ");
  return [own(`Note: ${ids} ${is} assigned to nobody; bd update ${ids} -a me says who. --claim does both at once.`)];
}

/** Ids of the named beads that the caller has claimed already. */
function heldBy({ args, author, context }: Call): ReadonlySet<string> {
  return new Set(args.filter((id) => storeOf(id, context).get(id)?.assignee === author.actor));
}

/** What the flags say; only the given parts. */
async function changeFrom(call: Call, settings: Readonly<Record<string, string>>): Promise<BeadChange> {
  const { flags, context } = call;
  const patch = await patchFrom(call, settings);
  const metadata = flags.text("metadata");
  if (metadata !== undefined) {
    const json = metadata.startsWith("@") ? await readInput(metadata.slice(1), context) : metadata;
    patch["metadata"] = metadataOfText(json);
  }
  const setMetadata = metadataPairs(flags.texts("set-metadata"));
  const unsetMetadata = flags.list("unset-metadata");
  const appendNotes = flags.text("append-notes");
  const parent = flags.text("parent");
  return {
    ...(flags.isSet("claim") ? { claim: true, ...claimLease(settings) } : {}),
    ...(Object.keys(patch).length === 0 ? {} : { patch: patch as BeadPatch }),
    ...(appendNotes === undefined ? {} : { appendNotes }),
    ...(flags.has("add-label") ? { addLabels: flags.list("add-label") } : {}),
    ...(flags.has("remove-label") ? { removeLabels: flags.list("remove-label") } : {}),
    ...(Object.keys(setMetadata).length === 0 ? {} : { setMetadata }),
    ...(unsetMetadata.length === 0 ? {} : { unsetMetadata }),
    ...(parent === undefined ? {} : { parent }),
    ...(flags.isSet("force") ? { force: true } : {}),
  };
}

async function patchFrom(call: Call, settings: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
  const { flags, now } = call;
  const patch: Record<string, unknown> = { ...(await bodyFields(call)) };
  const set = (name: string, field: string, read: (text: string) => unknown): void => {
    const given = flags.text(name);
    if (given !== undefined) patch[field] = read(given);
  };
  const orNothing = (text: string): string | null => (text === "" ? null : text);
  const timeOrNothing = (text: string): string | null => (text === "" ? null : timeOfText(text, now));
  set("title", "title", (title) => {
    if (title.trim() === "") throw usageError("title is required", "a bead cannot be without title");
    return title;
  });
  set("status", "status", (status) => statusOf(status, statusesOf(settings)));
  set("priority", "priority", priorityOf);
  set("type", "issue_type", (type) => issueTypeOf(type, customTypes(settings["types.custom"])));
  set("assignee", "assignee", orNothing);
  set("due", "due_at", timeOrNothing);
  set("defer", "defer_until", timeOrNothing);
  set("estimate", "estimated_minutes", Number);
  set("external-ref", "external_ref", orNothing);
  set("spec-id", "spec_id", orNothing);
  if (flags.has("set-labels")) patch["labels"] = labelsOrNothing(flags.list("set-labels"));
  if (flags.isSet("persistent")) patch["ephemeral"] = null;
  return patch;
}

function labelsOrNothing(labels: readonly string[]): readonly string[] | null {
  return labels.length === 0 ? null : labels;
}
