import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { textOf } from "../../domain/work-graph/record/facts.ts";
import { edgesOf } from "../../domain/work-graph/record/edges.ts";
import { timeOf } from "../../domain/work-graph/record/stamp.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import { findBead, requireBead } from "../access/find-bead.ts";
import { allStoresFlag, scopeOf } from "../access/scope.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { oneArgument } from "../grammar/arguments.ts";
import { flag, number, text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { listedBead } from "../output/bead-json.ts";
import { beadLine, briefLine } from "../output/bead-line.ts";
import { limited } from "../output/listing.ts";
import { cleanLine } from "../output/plain-text.ts";
import { durationOf } from "../values/time.ts";
import { closeBead } from "../writes/close-bead.ts";
import { connect } from "../writes/create-bead.ts";
import { eachBead } from "../writes/each-bead.ts";
import { showCommand } from "./show.ts";
import { counted } from "../output/counted.ts";

const GATE_TYPES = ["human", "timer", "bead", "gh:run", "gh:pr", "mail", "exec"];
const NS_PER_MS = 1e6;

export const gateCreateCommand: BdCommand = {
  name: "gate create",
  group: "Dependencies",
  summary: "make a gate that holds a bead back until it is resolved",
  flags: [
    text("blocks", "ID", "the bead it holds back"),
    text("type", "TYPE", "human (default), timer, bead, gh:run, gh:pr, mail, exec", "t"),
    text("await-id", "ID", "what it waits for: a run, a pull request, RIG:BEAD"),
    text("timeout", "DURATION", "when a timer opens: 30m, 2h"),
    text("reason", "TEXT", "what it is for", "r"),
  ],
  examples: [
    'bd gate create --blocks api-x7k2m3 -r "design review"',
    "bd gate create --blocks api-x7 -t timer --timeout 2h",
  ],
  writes: true,
  run: createGate,
};

export const gateListCommand: BdCommand = {
  name: "gate list",
  group: "Dependencies",
  summary: "gates that are closed to what waits for them",
  args: "[id]",
  flags: [
    flag("all", "those that have opened, too", "a"),
    number("limit", "N", "at most N; default 50, 0 for all", "n"),
    allStoresFlag,
  ],
  run: listGates,
};

export const gateShowCommand: BdCommand = {
  name: "gate show",
  group: "Dependencies",
  summary: "a gate and what waits for it",
  args: "<gate-id>",
  run: (call) => {
    const id = oneArgument(call.args, "bd gate show GATE");
    requireGate(findBead(id, call.context).record);
    return showCommand.run?.(call) ?? { text: "" };
  },
};

export const gateResolveCommand: BdCommand = {
  name: "gate resolve",
  aliases: ["gate approve", "gate close"],
  group: "Dependencies",
  summary: "open gates by hand: what waits for them goes on",
  args: "<gate-id>...",
  flags: [text("reason", "TEXT", "why", "r")],
  writes: true,
  run: async (call) => {
    const reason = call.flags.text("reason") ?? "Gate resolved";
    for (const id of call.args) requireGate(requireBead(id, call.context).record);
    return opened(call, call.args, () => reason);
  },
};

export const gateCheckCommand: BdCommand = {
  name: "gate check",
  group: "Dependencies",
  summary: "open the gates whose time has come or whose bead is closed",
  flags: [
    text("type", "TYPE", "only timer or only bead gates; default all", "t"),
    flag("dry-run", "only show them"),
    allStoresFlag,
  ],
  writes: true,
  run: checkGates,
};

function requireGate(record: BeadRecord): void {
  if (record.issue_type !== "gate")
    throw usageError(`${record.id} is no gate: it is a ${record.issue_type}`, "bd gate list");
}

async function createGate(call: Call): Promise<Answer> {
  const { flags, context, author } = call;
  const blocked = flags.text("blocks");
  if (blocked === undefined) throw usageError("--blocks is required", "bd gate create --blocks ID");
  const type = flags.text("type") ?? "human";
  if (!GATE_TYPES.includes(type)) throw usageError(`invalid gate type "${type}"`, `use ${GATE_TYPES.join(", ")}`);
  const timeout = flags.text("timeout");
  if (type === "timer" && timeout === undefined)
    throw usageError("a timer needs --timeout", `bd gate create --blocks ${blocked} -t timer --timeout 2h`);
  const awaited = flags.text("await-id");
  if (type === "bead") requireBead(beadIdOf(awaited ?? ""), context);
  const { graph, record } = requireBead(blocked, context);
  const reason = flags.text("reason");
  const made = await call.transact(graph, (tx) => {
    const gate = tx.create({
      title: `Gate of ${blocked}: ${type}${awaited === undefined ? "" : ` ${awaited}`}`,
      issue_type: "gate",
      priority: record.priority,
      description: reason ?? `${blocked} waits for it. Closing it lets ${blocked} go on.`,
      await_type: type,
      ...(context.owner === undefined ? {} : { owner: context.owner }),
      ...(awaited === undefined ? {} : { await_id: awaited }),
      ...(timeout === undefined ? {} : { timeout: durationOf(timeout) * NS_PER_MS }),
      waiters: [author.actor],
    });
    connect(tx, blocked, { other: gate.id, type: "blocks", direction: "Outgoing" });
    return tx.get(gate.id) ?? gate;
  });
  return {
    text: `${call.paint("green", "✓")} Created gate: ${made.id} (${type}) blocks ${blocked}`,
    json: { ...listedBead(graph, made), blocks: blocked, schema_version: 1 },
  };
}

function listGates(call: Call): Answer {
  const { args, flags, context } = call;
  const of = args[0] === undefined ? undefined : findBead(oneArgument(args, "bd gate list ID"), context);
  const held = of === undefined ? undefined : new Set(edgesOf(of.record).map((edge) => edge.depends_on_id));
  const gates = (of === undefined ? scopeOf(call) : [of.graph])
    .flatMap((graph) => graph.list({ type: ["gate"] }).map((record) => ({ graph, record })))
    .filter(({ record }) => flags.isSet("all") || record.status !== "closed")
    .filter(({ record }) => held === undefined || held.has(record.id));
  const { shown, truncated } = limited(gates, flags.number("limit") ?? 50);
  return {
    text: shown.length === 0 ? "No gates found." : shown.map((gate) => gateLines(gate, call).join("\n")).join("\n"),
    json: shown.map(({ graph, record }) => listedBead(graph, record)),
    ...(truncated === undefined ? {} : { truncated }),
  };
}

function gateLines({ graph, record }: { graph: WorkGraph; record: BeadRecord }, call: Call): readonly string[] {
  if (call.isBrief) return [briefLine(record)];
  const waiting = graph.dependentsOf(record.id).filter(({ type }) => type !== "parent-child");
  const ids = waiting.map(({ issue_id: id }) => id).join(", ");
  return [beadLine(record, call), `    ${cleanLine(awaits(record))}${ids === "" ? "" : `; holds back ${ids}`}`];
}

function awaits(record: BeadRecord): string {
  const opens = opensAt(record);
  if (opens !== undefined) return `timer, opens ${new Date(opens).toISOString()}`;
  return [textOf(record["await_type"]) || "human", textOf(record["await_id"])].join(" ").trim();
}

/** When a timer opens, ms; undefined for other gates. */
function opensAt(record: BeadRecord): number | undefined {
  const { timeout } = record;
  if (record["await_type"] !== "timer" || typeof timeout !== "number") return undefined;
  return (timeOf(record.created_at) ?? 0) + timeout / NS_PER_MS;
}

/** The id in `RIG:BEAD`: prefixes tell the rig. */
function beadIdOf(awaited: string): string {
  return awaited.slice(awaited.lastIndexOf(":") + 1);
}

async function checkGates(call: Call): Promise<Answer> {
  const wanted = call.flags.text("type") ?? "all";
  if (!["all", "timer", "bead"].includes(wanted))
    throw usageError(
      `cannot check gates of type "${wanted}"`,
      "timer and bead gates are checked here; bd gate resolve ID opens any other once you know that it may",
    );
  const open = scopeOf(call)
    .flatMap((graph) => graph.list({ type: ["gate"] }))
    .filter(({ status }) => status !== "closed");
  const due = new Map<string, string>();
  for (const gate of open) {
    const why = reasonToOpen(gate, call);
    if (why !== undefined && (wanted === "all" || gate["await_type"] === wanted)) due.set(gate.id, why);
  }
  const counts = `Checked ${counted(open.length, "gate")}: ${due.size} resolved, ${open.length - due.size} pending`;
  const json = { checked: open.length, resolved: [...due.keys()], pending: open.length - due.size };
  if (due.size === 0) return { text: counts, json };
  if (call.flags.isSet("dry-run"))
    return {
      text: [...due].map(([id, why]) => `Would resolve ${id}: ${why}`).join("\n"),
      json: { ...json, dry_run: true },
    };
  const answer = await opened(call, [...due.keys()], (id) => due.get(id) ?? "");
  return { ...answer, text: `${String(answer.text)}\n${counts}`, json };
}

function reasonToOpen(gate: BeadRecord, { context, now }: Call): string | undefined {
  const opens = opensAt(gate);
  if (opens !== undefined) return opens <= now ? "Timer expired" : undefined;
  if (gate["await_type"] !== "bead") return undefined;
  const id = beadIdOf(textOf(gate["await_id"]));
  const awaited = context.graphs.graphOf(id)?.get(id) ?? context.home.get(id);
  return awaited?.status === "closed" ? `${id} is closed` : undefined;
}

async function opened(call: Call, ids: readonly string[], reason: (id: string) => string): Promise<Answer> {
  const { done, notes, exitCode } = await eachBead(call, ids, (tx, id) =>
    closeBead(tx, id, { reason: reason(id) }, call),
  );
  return {
    text: done
      .map(
        ({ id, value }) =>
          `${call.paint("green", "✓")} Gate resolved: ${id} (${cleanLine(value.closed.close_reason ?? "")})`,
      )
      .join("\n"),
    json: done.map(({ graph, value }) => listedBead(graph, graph.get(value.closed.id) ?? value.closed)),
    notes,
    exitCode,
  };
}
