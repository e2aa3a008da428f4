import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { timeOf } from "../../domain/work-graph/record/stamp.ts";
import { messageOf, TownError } from "../../errors/town-error.ts";
import type { GraphReader, HistoryEntry, WorkGraph } from "../../ports/work-graph.ts";
import { fullFlag, inFull } from "../access/full-text.ts";
import { findBead, notFound } from "../access/find-bead.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { flag, text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { listedBead, shownBead } from "../output/bead-json.ts";
import { beadLine, briefLine } from "../output/bead-line.ts";
import { beadPage } from "../output/bead-page.ts";
import { cleanLine } from "../output/plain-text.ts";

export const showCommand: BdCommand = {
  name: "show",
  aliases: ["view"],
  group: "Issues",
  summary: "everything about beads: texts, dependencies, comments, history",
  args: "[id...]",
  flags: [
    flag("short", "one line each"),
    flag("children", "the children of each"),
    flag("refs", "what refers to each"),
    flag("current", "what you work on: the bead you hold that changed last"),
    fullFlag,
    flag("no-history", "without what happened to it"),
    text("as-of", "REV", "as it was at a commit of the work branch or a time"),
    text("id", "ID", "an id that looks like a flag"),
  ],
  examples: ["bd show api-x7k2m3", "bd show x7k2 --json"],
  run: show,
};

export const childrenCommand: BdCommand = {
  name: "children",
  group: "Finding work",
  summary: "the children of a bead",
  args: "<id>",
  flags: [fullFlag],
  run: (call) => {
    const [id] = call.args;
    if (id === undefined || call.args.length > 1) throw usageError("bd children needs one id");
    const { graph, record } = findBead(id, call.context);
    return childList(call, [{ graph, reader: graph, record }]);
  },
};

interface Shown {
  readonly graph: WorkGraph;
  /** The graph, or what it was. */
  readonly reader: GraphReader;
  readonly record: BeadRecord;
}

async function show(call: Call): Promise<Answer> {
  const { args, flags } = call;
  const ids = [...args, ...flags.texts("id"), ...(flags.isSet("current") ? [currentId(call)] : [])];
  if (ids.length === 0) throw usageError("requires at least 1 arg(s), only received 0", "bd show ID");
  const found: Shown[] = [];
  const notes: string[] = [];
  for (const id of ids) {
    try {
      found.push(await oneShown(id, call));
    } catch (error) {
      if (!(error instanceof TownError) || ids.length === 1) throw error;
      notes.push(`Error fetching ${id}: ${messageOf(error)}`);
    }
  }
  const exitCode = notes.length > 0 ? 1 : 0;
  const { beads: shown, notes: missing } = flags.isSet("full") ? await inFull(found, call.context) : asFound(found);
  const rest = { notes: [...notes, ...missing], exitCode };
  if (flags.isSet("children")) return { ...(await childList(call, shown)), ...rest };
  if (flags.isSet("refs") && !call.isJson) return { text: refLines(call, shown).join("\n"), ...rest };
  if (flags.isSet("short") || call.isBrief)
    return { text: shortLines(call, shown).join("\n"), json: jsonOf(call, shown), ...rest };
  const pages = call.isJson ? [] : await Promise.all(shown.map((one) => page(one, call)));
  return { text: pages.join("\n\n"), json: call.isJson ? jsonOf(call, shown) : undefined, ...rest };
}

/** Of the beads the caller has claimed the one that changed last. Throws TownError `NotFound`. */
function currentId({ context, author }: Call): string {
  const held = context.graphs
    .all()
    .flatMap((graph) => graph.list({ status: ["in_progress", "hooked"], assignee: author.actor }));
  const [last] = held.sort((a, b) => (timeOf(b.updated_at) ?? 0) - (timeOf(a.updated_at) ?? 0));
  if (last !== undefined) return last.id;
  throw new TownError("NotFound", `${author.actor} works on nothing`, { hint: "bd ready --claim takes the next bead" });
}

function asFound<T>(beads: readonly T[]): { readonly beads: readonly T[]; readonly notes: readonly string[] } {
  return { beads, notes: [] };
}

async function oneShown(id: string, call: Call): Promise<Shown> {
  const revision = call.flags.text("as-of");
  if (revision === undefined) {
    const { graph, record } = findBead(id, call.context);
    return { graph, reader: graph, record };
  }
  // A bead may be gone by now, so its store is told by the prefix alone.
  const graph = call.context.graphs.graphOf(id) ?? call.home;
  const past = await call.context.tools.asOf(graph, revision);
  if (past === undefined)
    throw usageError(`--as-of: there is no revision "${revision}"`, "give a commit of the work branch, or a time");
  const { reader } = past;
  const record = reader.get(id) ?? reader.get(`${graph.prefix}-${id}`);
  if (record === undefined) throw notFound(id);
  return { graph, reader, record };
}

function jsonOf(call: Call, shown: readonly Shown[]): unknown {
  return shown.map(({ reader, record }) => shownBead(reader, record, lookupIn(call, reader)));
}

function lookupIn({ context }: Call, reader: GraphReader): (id: string) => BeadRecord | undefined {
  return (id) => reader.get(id) ?? context.graphs.graphOf(id)?.get(id);
}

async function page({ graph, reader, record }: Shown, call: Call): Promise<string> {
  const isPast = reader !== graph;
  const history: readonly HistoryEntry[] =
    isPast || call.flags.isSet("no-history") ? [] : await graph.history(record.id);
  return beadPage(record, { graph: reader, lookup: lookupIn(call, reader), history }, call);
}

function shortLines(call: Call, shown: readonly Shown[]): readonly string[] {
  return shown.map(({ record }) => (call.isBrief ? briefLine(record) : beadLine(record, call)));
}

function refLines(call: Call, shown: readonly Shown[]): readonly string[] {
  return shown.flatMap(({ reader, record }) => {
    const edges = reader.dependentsOf(record.id);
    const lines = edges.map((edge) => {
      const other = lookupIn(call, reader)(edge.issue_id);
      const lead = `  ${cleanLine(edge.type)}: `;
      return other === undefined ? `${lead}${cleanLine(edge.issue_id)}` : beadLine(other, call, { lead });
    });
    return [`References to ${record.id}: ${edges.length}`, ...lines];
  });
}

async function childList(call: Call, shown: readonly Shown[]): Promise<Answer> {
  const lists: { readonly parent: BeadRecord; readonly children: readonly Shown[] }[] = [];
  const notes: string[] = [];
  for (const { graph, reader, record } of shown) {
    const children = reader.childrenOf(record.id).map((child) => ({ graph, reader, record: child }));
    const read = call.flags.isSet("full") ? await inFull(children, call.context) : asFound(children);
    lists.push({ parent: record, children: read.beads });
    notes.push(...read.notes);
  }
  return {
    text: lists
      .flatMap(({ parent, children }) => [
        ...(call.isBrief ? [] : [`Children of ${parent.id}: ${children.length}`]),
        ...children.map(({ record }) => (call.isBrief ? briefLine(record) : beadLine(record, call, { lead: "  " }))),
      ])
      .join("\n"),
    json: lists.flatMap(({ children }) => children.map(({ reader, record }) => listedBead(reader, record))),
    notes,
  };
}
