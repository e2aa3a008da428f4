import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { validId } from "../../domain/work-graph/ids/parse-id.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import { requireBead, requireTarget, storeOf } from "../access/find-bead.ts";
import { readInput, stdinText } from "../access/files.ts";
import { requireMaySetMetadata } from "../access/limits.ts";
import { settingsOf } from "../access/settings.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import type { Flag } from "../grammar/flag.ts";
import { also, flag, list, number, text, texts } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { listedBead } from "../output/bead-json.ts";
import { cleanLine } from "../output/plain-text.ts";
import { lintRecord } from "../queries/lint.ts";
import { customTypes, issueTypeOf } from "../values/issue-type.ts";
import { metadataOfText, metadataPairs } from "../values/metadata.ts";
import { priorityOf } from "../values/priority.ts";
import { timeOfText } from "../values/time.ts";
import type { BeadSpec, PlannedBead } from "../writes/create-bead.ts";
import { createBead, requireTitle } from "../writes/create-bead.ts";
import type { DependencySpec } from "../writes/dependency-spec.ts";
import { dependencySpec, effectNote } from "../writes/dependency-spec.ts";
import { createFromMarkdown } from "./create-markdown.ts";
import { createFromPlan } from "./create-plan.ts";

/** Flags of text bodies, shared by create and update. */
export const bodyFlags: readonly Flag[] = [
  also(text("description", "TEXT", "what and why; - for stdin", "d"), "body", "message"),
  also(text("body-file", "FILE", "description from a file; - for stdin"), "description-file"),
  flag("stdin", "description from stdin"),
  also(text("design", "TEXT", "how"), "design-notes"),
  text("design-file", "FILE", "design from a file; - for stdin"),
  also(text("acceptance", "TEXT", "when it is done"), "acceptance-criteria"),
  text("notes", "TEXT", "anything else"),
];

export const createFlags: readonly Flag[] = [
  text("title", "TEXT", "the title, instead of the argument"),
  text("type", "TYPE", "task, bug, feature, epic, chore, …; default task", "t"),
  text("priority", "0-4", "0 is most urgent; default 2", "p"),
  ...bodyFlags,
  text("assignee", "NAME", "who should do it, or me", "a"),
  also(list("labels", "LABEL", "labels", "l"), "label"),
  text("parent", "ID", "make it a child of this bead"),
  also(
    list("deps", "DEP", "ID or TYPE:ID; ID, depends-on:ID and blocked-by:ID wait for it, blocks:ID makes it wait"),
    "dep",
  ),
  text("waits-for", "ID", "wait for the children of this bead"),
  text("waits-for-gate", "GATE", "all-children (default) or any-children"),
  text("id", "ID", "use this id"),
  also(text("due", "TIME", "+6h, tomorrow, 2026-01-15"), "due-at"),
  also(text("defer", "TIME", "not ready before that time"), "defer-until"),
  number("estimate", "MINUTES", "how long it may take", "e"),
  text("external-ref", "REF", "its name elsewhere, as gh-9"),
  text("spec-id", "SPEC", "document that specifies it"),
  text("metadata", "JSON", "an object of further facts; @FILE reads one"),
  texts("set-metadata", "KEY=VALUE", "one further fact; may be repeated"),
  flag("ephemeral", "a wisp: gone after a while, never in git"),
  text("wisp-type", "TYPE", "how long a wisp is kept: ping, heartbeat 6h; patrol, gc_report 24h; error, recovery 7d"),
  text("file", "FILE.md", "one bead per `## Title` of a Markdown file", "f"),
  text("graph", "PLAN.json", "beads and edges of a plan, in one transaction"),
  flag("validate", "refuse a description that lacks the sections of its type"),
  flag("force", "allow an id with another prefix"),
  flag("silent", "print the id alone"),
  flag("dry-run", "show what would be made"),
];

export const createCommand: BdCommand = {
  name: "create",
  aliases: ["new"],
  group: "Issues",
  summary: "make a bead",
  args: "[title]",
  flags: createFlags,
  examples: [
    'bd create "Login fails with an empty password" -t bug -p 1',
    'bd create "Write the migration" --parent api-x7k2m3 --deps api-y8 --json',
    "bd create -f plan.md",
  ],
  section: {
    title: "PLAN.json",
    lines: [
      '{"nodes": [{"key": "a", "title": "…", "type": "epic"},',
      '           {"key": "b", "title": "…", "parent": "a", "priority": 1},',
      '           {"key": "c", "title": "…", "parent": "a", "labels": ["x"]}],',
      ' "edges": [{"from_key": "c", "to_key": "b", "type": "blocks"}]}',
      "c waits for b; both are children of a. from_id and to_id name beads there are.",
    ],
  },
  writes: true,
  run: create,
};

export const quickCommand: BdCommand = {
  name: "q",
  group: "Issues",
  summary: "make a bead and print its id",
  args: "<title>",
  flags: createFlags,
  writes: true,
  run: (call) => create({ ...call, flags: call.flags.with("silent", "true") }),
};

function create(call: Call): Answer | Promise<Answer> {
  const { flags, args } = call;
  if (flags.has("file")) return createFromMarkdown(call, flags.text("file") ?? "");
  if (flags.has("graph")) return createFromPlan(call, flags.text("graph") ?? "");
  if (args.length > 1)
    throw usageError(
      `accepts one title, received ${args.length} arguments`,
      'put the title into quotes: bd create "Two words"',
    );
  return createOne(call);
}

async function createOne(call: Call): Promise<Answer> {
  const title = titleOf(call);
  const graph = targetStore(call);
  const spec = await beadSpec(call, title, graph);
  if (call.flags.isSet("validate")) requireSections(spec.fields);
  if (call.flags.isSet("dry-run")) return dryRun(spec);
  const { local, foreign } = split(spec.dependencies, graph, call);
  for (const { other } of local) requireTarget(other, graph, call.context);
  for (const { other } of foreign) requireBead(other, call.context);
  const made = await call.transact(graph, (tx) => createBead(tx, { ...spec, dependencies: local }));
  // Beads of other stores that wait for the new one: the target exists, so the edge can be made now.
  for (const [at, { other, type }] of foreign.entries())
    await call.transact(storeOf(other, call.context), (tx) => tx.addDependency(other, made.id, type), `edge ${at}`);
  return { ...created(call, graph, made), notes: spec.dependencies.flatMap(({ type }) => effectNote(type)) };
}

function titleOf({ flags, args }: Call): string {
  const given = flags.text("title");
  const [argument] = args;
  if (given !== undefined && argument !== undefined && given !== argument)
    throw usageError(`cannot use two titles: "${argument}" and --title "${given}"`, "leave one out");
  const title = argument ?? given ?? "";
  requireTitle(title);
  return title;
}

/** The store a new bead goes to: its parent's, that of a given id, else the home store. */
function targetStore({ context, flags }: Call): WorkGraph {
  const parent = flags.text("parent");
  if (parent !== undefined) return storeOf(parent, context);
  const id = flags.text("id");
  return id === undefined ? context.home : storeOf(id, context);
}

function split(dependencies: readonly DependencySpec[], graph: WorkGraph, call: Call) {
  const isForeign = ({ other, direction }: DependencySpec): boolean =>
    direction === "Incoming" && storeOf(other, call.context) !== graph;
  return {
    local: dependencies.filter((dependency) => !isForeign(dependency)),
    foreign: dependencies.filter(isForeign),
  };
}

/** What the flags say about a new bead. Throws TownError `Usage` naming the flag. */
async function beadSpec(call: Call, title: string, graph: WorkGraph): Promise<BeadSpec> {
  const { flags, context, now } = call;
  const settings = await settingsOf(graph, context);
  const metadata = await metadataFrom(call);
  requireMaySetMetadata(call, Object.keys(metadata));
  const labels = flags.list("labels");
  const id = givenId(call, graph);
  const due = flags.text("due");
  const defer = flags.text("defer");
  const estimate = flags.number("estimate");
  const fields: Record<string, unknown> = {
    title,
    issue_type: issueTypeOf(flags.text("type") ?? "task", customTypes(settings["types.custom"])),
    priority: priorityOf(flags.text("priority") ?? "2"),
    ...(await bodyFields(call)),
    assignee: flags.text("assignee"),
    owner: context.owner,
    labels: labels.length === 0 ? undefined : labels,
    parent: flags.text("parent"),
    id,
    due_at: due === undefined ? undefined : timeOfText(due, now),
    defer_until: defer === undefined ? undefined : timeOfText(defer, now),
    estimated_minutes: estimate,
    external_ref: flags.text("external-ref"),
    spec_id: flags.text("spec-id"),
    ephemeral: flags.isSet("ephemeral") || flags.has("wisp-type") ? true : undefined,
    wisp_type: wispType(flags.text("wisp-type")),
    metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
  };
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return { fields: given as unknown as PlannedBead, dependencies: dependenciesFrom(call) };
}

const wispTypes = ["heartbeat", "ping", "patrol", "gc_report", "recovery", "error", "escalation"];

function wispType(given: string | undefined): string | undefined {
  if (given === undefined || wispTypes.includes(given)) return given;
  throw usageError(`invalid wisp type "${given}"`, `use ${wispTypes.join(", ")}`);
}

function givenId({ flags }: Call, graph: WorkGraph): string | undefined {
  const id = flags.text("id");
  if (id === undefined) return undefined;
  if (!validId(id)) throw usageError(`invalid id "${id}"`, "use letters, digits, '.', '-' and '_'");
  if (!id.startsWith(`${graph.prefix}-`) && !flags.isSet("force"))
    throw usageError(`invalid id "${id}": it does not begin with ${graph.prefix}-`, "use that prefix, or --force");
  return id;
}

function dependenciesFrom({ flags }: Call): readonly DependencySpec[] {
  const spawner = flags.text("waits-for");
  const gate = flags.text("waits-for-gate") ?? "all-children";
  if (gate !== "all-children" && gate !== "any-children")
    throw usageError(`invalid gate "${gate}"`, "use all-children or any-children");
  return [
    ...flags.list("deps").map(dependencySpec),
    ...(spawner === undefined
      ? []
      : [{ other: spawner, type: "waits-for", direction: "Outgoing", metadata: JSON.stringify({ gate }) } as const]),
  ];
}

async function metadataFrom(call: Call): Promise<Readonly<Record<string, unknown>>> {
  const given = call.flags.text("metadata") ?? "{}";
  const json = given.startsWith("@") ? await readInput(given.slice(1), call.context) : given;
  return { ...metadataOfText(json), ...metadataPairs(call.flags.texts("set-metadata")) };
}

/** Description, design, acceptance criteria and notes as the flags give them, from files and stdin where they say so. */
export async function bodyFields({ flags, context }: Call): Promise<Readonly<Record<string, string>>> {
  const fields: Record<string, string> = {};
  const description = flags.text("description");
  const file = flags.text("body-file");
  if (description !== undefined && file !== undefined)
    throw usageError("cannot use both --description and --body-file", "leave one out");
  if (description === "-" || flags.isSet("stdin")) fields["description"] = stdinText(context);
  else if (description !== undefined) fields["description"] = description;
  else if (file !== undefined) fields["description"] = await readInput(file, context);
  const designFile = flags.text("design-file");
  const design = designFile === undefined ? flags.text("design") : await readInput(designFile, context);
  if (design !== undefined) fields["design"] = design;
  const acceptance = flags.text("acceptance");
  if (acceptance !== undefined) fields["acceptance_criteria"] = acceptance;
  const notes = flags.text("notes");
  if (notes !== undefined) fields["notes"] = notes;
  return fields;
}

function requireSections(fields: PlannedBead): void {
  const missing = lintRecord(fields);
  if (missing.length === 0) return;
  throw usageError(
    `a ${fields.issue_type} needs ${missing.map(({ section }) => section).join(", ")} in its description`,
    "add those sections, or leave out --validate",
  );
}

function dryRun({ fields, dependencies }: BeadSpec): Answer {
  const { parent, ...rest } = fields;
  return {
    text: `Would create: ${cleanLine(fields.title)} [P${fields.priority}] [${fields.issue_type}]${parent === undefined ? "" : ` below ${parent}`}`,
    json: {
      dry_run: true,
      ...rest,
      status: "open",
      ...(parent === undefined ? {} : { parent }),
      deps: dependencies.map(({ other, type, direction }) => ({ id: other, type, direction: direction.toLowerCase() })),
    },
  };
}

function created(call: Call, graph: WorkGraph, record: BeadRecord): Answer {
  if (!call.isJson && (call.flags.isSet("silent") || call.isBrief)) return { text: record.id };
  return {
    text: [
      `${call.paint("green", "✓")} Created issue: ${call.paint("bold", record.id)}`,
      `  Title: ${cleanLine(record.title)}`,
      `  Priority: P${record.priority}  Type: ${record.issue_type}  Status: ${record.status}`,
    ].join("\n"),
    json: { ...listedBead(graph, record), schema_version: 1 },
  };
}
