import type { GraphTransaction, WorkGraph } from "../../ports/work-graph.ts";
import { TownError, messageOf } from "../../errors/town-error.ts";
import { requireBead } from "../access/find-bead.ts";
import { readInput, stdinText } from "../access/files.ts";
import { claimLease, settingsOf } from "../access/settings.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { flag, text } from "../grammar/flag.ts";
import { splitWords } from "../grammar/split-words.ts";
import { didYouMean } from "../grammar/suggestion.ts";
import { usageError } from "../grammar/usage-error.ts";
import { customTypes, issueTypeOf } from "../values/issue-type.ts";
import { priorityOf } from "../values/priority.ts";
import { statusesOf } from "../../domain/work-graph/record/statuses.ts";
import { statusOf } from "../values/status.ts";
import { changeBead } from "../writes/change-bead.ts";
import { closeBead } from "../writes/close-bead.ts";
import { connect, createBead } from "../writes/create-bead.ts";
import { edgeType } from "../writes/dependency-spec.ts";
import { counted } from "../output/counted.ts";

export const batchCommand: BdCommand = {
  name: "batch",
  group: "Issues",
  summary: "many changes in one transaction: all of them, or none",
  flags: [
    text("file", "FILE", "read the lines from a file; default stdin", "f"),
    flag("dry-run", "only check the lines"),
  ],
  examples: ["printf 'close api-x1 done\\nupdate api-x2 status=in_progress\\n' | bd batch"],
  section: {
    title: "Lines",
    lines: [
      "create TYPE PRIORITY TITLE…",
      "update ID KEY=VALUE…",
      "close ID [REASON…]",
      "claim ID",
      "dep add ID ID [TYPE]",
      "dep remove ID ID",
      "label add ID LABEL",
      "label remove ID LABEL",
      "comment ID TEXT…",
      '# what begins so is left out; "quotes" hold blanks together',
    ],
  },
  writes: true,
  run: batch,
};

type Apply = (tx: GraphTransaction) => string;

interface Operation {
  readonly line: number;
  readonly raw: string;
  readonly name: string;
  /** Beads that must be there before; their store is the one that is changed. */
  readonly ids: readonly string[];
  /** Does it and answers what it was done to. */
  readonly apply: Apply;
}

interface Reading {
  readonly call: Call;
  readonly settings: Readonly<Record<string, string>>;
}

async function batch(call: Call): Promise<Answer> {
  const file = call.flags.text("file");
  const source = file === undefined ? stdinText(call.context) : await readInput(file, call.context);
  const reading: Reading = { call, settings: await settingsOf(call.home, call.context) };
  const operations = source.split("\n").flatMap((raw, i) => operationOf(raw.trim(), i + 1, reading));
  if (call.flags.isSet("dry-run"))
    return {
      text: [
        ...operations.map(({ line, raw }) => `line ${line}: ${raw}`),
        `${counted(operations.length, "operation")}, nothing done`,
      ].join("\n"),
      json: { dry_run: true, operations: operations.length },
    };
  if (operations.length === 0)
    return { text: "batch: 0 operations", json: { operations: 0, status: "ok", results: [] } };
  const results = await call.transact(storeFor(operations, call), (tx) =>
    operations.map((operation) => applied(tx, operation)),
  );
  return {
    text: [
      `${call.paint("green", "✓")} batch: ${counted(results.length, "operation")} committed`,
      ...results.map(({ line, op, target }) => `  line ${line}: ${op} ${target}`),
    ].join("\n"),
    json: { operations: results.length, status: "ok", results },
  };
}

/** A transaction is of one store: the one that every named bead is in. */
function storeFor(operations: readonly Operation[], { context, home }: Call): WorkGraph {
  const stores = new Set<WorkGraph>();
  for (const { line, raw, ids } of operations) {
    for (const id of ids) stores.add(inPlace(line, raw, () => requireBead(id, context).graph));
  }
  if (stores.size > 1)
    throw usageError(
      `the lines name beads of several stores (${[...stores].map(({ namespace }) => namespace).join(", ")})`,
      "one transaction is of one store: run one batch for each",
    );
  return [...stores][0] ?? home;
}

function applied(tx: GraphTransaction, { line, raw, name, apply }: Operation) {
  return { line, op: name, target: inPlace(line, raw, () => apply(tx)) };
}

function inPlace<T>(line: number, raw: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { reason, hint } = error instanceof TownError ? error : { reason: "Internal", hint: undefined };
    throw new TownError(reason, `line ${line} (${raw}): ${messageOf(error)}; nothing was changed`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

function operationOf(raw: string, line: number, reading: Reading): readonly Operation[] {
  if (raw === "" || raw.startsWith("#")) return [];
  return inPlace(line, raw, () => {
    const words = splitWords(raw);
    const [first = "", second = ""] = words;
    const name = first === "dep" || first === "label" ? `${first} ${second}` : first;
    const read = readers[name];
    if (read === undefined)
      throw usageError(
        `unknown batch command "${name}"`,
        didYouMean(name, Object.keys(readers)) ?? "see: bd help batch",
      );
    return [{ line, raw, name, ...read(words.slice(name.split(" ").length), reading) }];
  });
}

type Reader = (words: readonly string[], reading: Reading) => Pick<Operation, "ids" | "apply">;

const readers: Readonly<Record<string, Reader>> = {
  create: readCreate,
  update: readUpdate,
  close: ([id, ...reason], { call }) => ({
    ids: [required(id, "close ID [REASON…]")],
    apply: (tx) =>
      closeBead(tx, id ?? "", { reason: reason.length === 0 ? undefined : reason.join(" ") }, call).closed.id,
  }),
  claim: ([id], { call, settings }) => ({
    ids: [required(id, "claim ID")],
    apply: (tx) => changeBead(tx, id ?? "", { claim: true, ...claimLease(settings) }, call).id,
  }),
  "dep add": readDepAdd,
  "dep remove": ([id, target]) => ({
    ids: [required(id, "dep remove ID ID")],
    apply: (tx) => {
      tx.removeDependency(id ?? "", required(target, "dep remove ID ID"));
      return `${id}->${target}`;
    },
  }),
  "label add": ([id, label], { call }) => labelChange(id, "addLabels", label, call),
  "label remove": ([id, label], { call }) => labelChange(id, "removeLabels", label, call),
  comment: ([id, ...words]) => ({
    ids: [required(id, "comment ID TEXT…")],
    apply: (tx) => {
      tx.comment(id ?? "", words.join(" "));
      return id ?? "";
    },
  }),
};

function required(word: string | undefined, form: string): string {
  if (word === undefined || word === "") throw usageError(`the line is too short`, `write: ${form}`);
  return word;
}

function readCreate(
  [type, priority, ...title]: readonly string[],
  { call, settings }: Reading,
): Pick<Operation, "ids" | "apply"> {
  const form = "create TYPE PRIORITY TITLE…";
  const fields = {
    issue_type: issueTypeOf(required(type, form), customTypes(settings["types.custom"])),
    priority: priorityOf(required(priority, form)),
    title: required(title.join(" "), form),
    ...(call.context.owner === undefined ? {} : { owner: call.context.owner }),
  };
  return { ids: [], apply: (tx) => createBead(tx, { fields, dependencies: [] }).id };
}

function readUpdate([id, ...pairs]: readonly string[], { call, settings }: Reading): Pick<Operation, "ids" | "apply"> {
  const form = "update ID KEY=VALUE…";
  required(pairs[0], form);
  const patch = Object.fromEntries(pairs.map((pair) => fieldOf(pair, settings, call.author.actor)));
  return { ids: [required(id, form)], apply: (tx) => changeBead(tx, id ?? "", { patch }, call).id };
}

function fieldOf(pair: string, settings: Readonly<Record<string, string>>, actor: string): readonly [string, unknown] {
  const equals = pair.indexOf("=");
  const key = pair.slice(0, Math.max(0, equals));
  const value = pair.slice(equals + 1);
  switch (key) {
    case "status":
      return ["status", statusOf(value, statusesOf(settings))];
    case "priority":
      return ["priority", priorityOf(value)];
    case "type":
      return ["issue_type", issueTypeOf(value, customTypes(settings["types.custom"]))];
    case "assignee":
      return ["assignee", value === "" ? null : value === "me" ? actor : value];
    case "title":
      return ["title", required(value, "update ID title=TEXT")];
    case "description":
    case "design":
    case "notes":
      return [key, value];
    default:
      throw usageError(
        equals <= 0 ? `expected key=value, got "${pair}"` : `unknown key "${key}"`,
        "keys: status, priority, type, assignee, title, description, design, notes",
      );
  }
}

function readDepAdd([id, target, type]: readonly string[]): Pick<Operation, "ids" | "apply"> {
  const form = "dep add ID ID [TYPE]";
  const edge = { other: required(target, form), type: edgeType(type ?? "blocks"), direction: "Outgoing" } as const;
  return {
    ids: [required(id, form)],
    apply: (tx) => {
      connect(tx, id ?? "", edge);
      return `${id}->${edge.other}`;
    },
  };
}

function labelChange(
  id: string | undefined,
  part: "addLabels" | "removeLabels",
  label: string | undefined,
  call: Call,
): Pick<Operation, "ids" | "apply"> {
  const form = `label ${part === "addLabels" ? "add" : "remove"} ID LABEL`;
  const labels = [required(label, form)];
  return { ids: [required(id, form)], apply: (tx) => changeBead(tx, id ?? "", { [part]: labels }, call).id };
}
