import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { META } from "../../domain/work-graph/bead.ts";
import { isDeferred } from "../../domain/work-graph/index/readiness.ts";
import { cyclesOf } from "../../domain/work-graph/queries/attention.ts";
import type { BeadFilter } from "../../domain/work-graph/queries/bead-filter.ts";
import { beadTest, isSketchFilter, sketchTest } from "../../domain/work-graph/queries/bead-filter.ts";
import { openEpics } from "../../domain/work-graph/queries/epics.ts";
import { descendantsOf } from "../../domain/work-graph/queries/graph-view.ts";
import { sortBeads } from "../../domain/work-graph/queries/sort-beads.ts";
import { canonicalType } from "../../domain/work-graph/record/bead-types.ts";
import { blockingTypes } from "../../domain/work-graph/record/edges.ts";
import { isClaimed, metadataOf } from "../../domain/work-graph/record/facts.ts";
import type { GraphReader, GraphTransaction, WorkGraph } from "../../ports/work-graph.ts";
import { findBead } from "../access/find-bead.ts";
import { allStoresFlag, scopeOf } from "../access/scope.ts";
import { claimLease, settingsOf } from "../access/settings.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { flag, number, text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { listedBead, openBlockerIds } from "../output/bead-json.ts";
import { beadLine } from "../output/bead-line.ts";
import { cleanLine } from "../output/plain-text.ts";
import type { ListedBead } from "../output/listing.ts";
import { listing, UnreadBead } from "../output/listing.ts";
import { fieldFilterFlags, isSketchTime, timeTest } from "../queries/bead-filter-flags.ts";
import { publishClaims } from "../writes/publish-claims.ts";
import { callFilter, inOrder, sortPolicy } from "../queries/find-beads.ts";

const defaultLimit = 100;
/** How many claims in a row may be lost to other clones before it is given up. */
const mostLost = 5;

export const readyCommand: BdCommand = {
  name: "ready",
  group: "Finding work",
  summary: "work that can start now: open, not blocked, not deferred; most urgent first",
  flags: [
    ...fieldFilterFlags,
    number("limit", "N", "at most N; default 100, 0 for all", "n"),
    text("sort", "POLICY", "priority (default), oldest or hybrid", "s"),
    flag("claim", "take the first one for yourself"),
    flag("sync", "with --claim: taken only once the remote has it, so that no other clone has it too"),
    flag("explain", "why each is ready, and what the others wait for"),
    text("mol", "ID", "the steps of this molecule that can be done now"),
    flag("gated", "molecules whose gate has opened and that nobody has gone on with"),
    flag("include-deferred", "deferred ones, too"),
    flag("include-ephemeral", "wisps, too"),
    allStoresFlag,
  ],
  examples: ["bd ready --limit 5", "bd ready --claim --json", "bd ready --explain"],
  writesWith: ["claim"],
  run: runReady,
};

async function runReady(call: Call): Promise<Answer> {
  const { flags } = call;
  if (flags.isSet("claim")) return claimFirst(call);
  if (flags.isSet("sync")) throw usageError("--sync goes with --claim", "bd sync exchanges everything");
  if (flags.isSet("explain")) return explain(call);
  if (flags.isSet("gated")) return gated(call);
  const molecule = flags.text("mol");
  if (molecule !== undefined) return stepsReady(call, molecule);
  const limit = flags.number("limit") ?? defaultLimit;
  const first = firstReady(call, limit);
  const found =
    first?.found ??
    byPolicy(
      scopeOf(call).flatMap((graph) => readyBeads(graph, call)),
      call,
    );
  const answer = await listing(call, found, {
    limit,
    ...(first === undefined ? {} : { total: first.total }),
    isTree: false,
    nothing: "No ready work: nothing is open, or everything open is blocked, deferred or claimed.",
  });
  const hint = epicHint(call);
  return hint === undefined || call.isBrief || call.isJson
    ? answer
    : { ...answer, text: () => `${textOf(answer)}\n\n${hint}` };
}

function textOf({ text: given }: Answer): string {
  return typeof given === "string" ? given : given();
}

function byPolicy(found: readonly ListedBead[], call: Call): readonly ListedBead[] {
  return inOrder(found, sortPolicy(call.flags.text("sort") ?? "priority"), call);
}

/** The first of all that is ready, where nothing chooses among them and the store has them in the order that is wanted. */
function firstReady(
  call: Call,
  limit: number,
): { readonly found: readonly ListedBead[]; readonly total: number } | undefined {
  const [graph, ...others] = scopeOf(call);
  const { flags } = call;
  const isPlain = [...fieldFilterFlags, allStoresFlag].every(({ name }) => !flags.has(name)) && !flags.has("sort");
  const isWidened = flags.isSet("include-deferred") || flags.isSet("include-ephemeral");
  if (graph === undefined || others.length > 0 || !isPlain || isWidened || flags.isSet("reverse")) return undefined;
  const sketches = graph.readySketches(limit > 0 ? { limit } : {});
  return { found: sketches.map((sketch) => new UnreadBead(graph, sketch)), total: graph.readyCount() };
}

/** As `readyIn`, unread where what is known of them is enough to choose. */
function readyBeads(graph: WorkGraph, call: Call): readonly ListedBead[] {
  const filter = { wisps: true, ...callFilter(call) };
  const isWidened = call.flags.isSet("include-deferred") || call.flags.isSet("include-ephemeral");
  if (isWidened || !isSketchFilter(filter) || !isSketchTime(call))
    return readyIn(graph, call).map((record) => ({ graph, record }));
  const types = call.flags.list("type").map(canonicalType);
  const ready = types.length === 0 ? graph.readySketches() : types.flatMap((type) => graph.readySketches({ type }));
  const fits = sketchTest(filter);
  const fitsTime = timeTest(call);
  return ready.filter((sketch) => fits(sketch) && fitsTime(sketch)).map((sketch) => new UnreadBead(graph, sketch));
}

/** Ready work that the filters let through, most urgent first. */
function readyIn(graph: GraphReader, call: Call): readonly BeadRecord[] {
  const types = call.flags.list("type").map(canonicalType);
  const ready = types.length === 0 ? graph.ready() : types.flatMap((type) => graph.ready({ type }));
  const more = extraCandidates(graph, call, new Set(ready.map(({ id }) => id)));
  return matching(graph, [...ready, ...more], call);
}

function matching(graph: GraphReader, records: readonly BeadRecord[], call: Call): readonly BeadRecord[] {
  const filter = callFilter(call);
  const fits = beadTest({ wisps: true, ...filter });
  const fitsTime = timeTest(call);
  const below = placeFilter(graph, filter);
  return records.filter((record) => below?.has(record.id) !== false && fits(record) && fitsTime(record));
}

/** Ids that `--id`, `--parent` and `--under` leave; undefined: all. */
function placeFilter(graph: GraphReader, { ids, parent, under }: BeadFilter): ReadonlySet<string> | undefined {
  const sets = [
    ids,
    parent === undefined ? undefined : graph.childrenOf(parent).map(({ id }) => id),
    under === undefined ? undefined : descendantsOf(graph, under).map(({ id }) => id),
  ].filter((list) => list !== undefined);
  const [first, ...rest] = sets;
  return first === undefined ? undefined : new Set(first.filter((id) => rest.every((list) => list.includes(id))));
}

// What the store leaves out and the flags bring back; nothing that is blocked.
function extraCandidates(graph: GraphReader, { flags, now }: Call, known: ReadonlySet<string>): readonly BeadRecord[] {
  const wantsDeferred = flags.isSet("include-deferred");
  const wantsWisps = flags.isSet("include-ephemeral");
  if (!wantsDeferred && !wantsWisps) return [];
  return graph.list({ status: wantsDeferred ? ["open", "deferred"] : ["open"] }).filter((record) => {
    if (known.has(record.id) || graph.blockersOf(record.id).length > 0) return false;
    const isWisp = record.ephemeral === true;
    const isPutOff = record.status === "deferred" || isDeferred(record, now);
    if ((isWisp && !wantsWisps) || (isPutOff && !wantsDeferred)) return false;
    return (isWisp || isPutOff) && record.is_template !== true && record.pinned !== true;
  });
}

/** Epics are no work to hand out, but they must not be forgotten: they want children, or closing. */
function epicHint(call: Call): string | undefined {
  if (["type", "parent", "under", "id"].some((name) => call.flags.has(name))) return undefined;
  const lines = scopeOf(call)
    .flatMap((graph) => openEpics(graph))
    .filter(({ closable, needsDecomposition }) => closable || needsDecomposition)
    .map(
      ({ epic, closable }) => `  ${epic.id} ${closable ? "can be closed" : "needs children"}: ${cleanLine(epic.title)}`,
    );
  return lines.length === 0 ? undefined : ["Epics:", ...lines].join("\n");
}

function claimFirst(call: Call): Promise<Answer> {
  return claimReady(call).then((taken) => {
    if (taken === undefined) return { text: "No ready work to claim.", json: [] };
    const { graph, record } = taken;
    return {
      text: call.isBrief ? record.id : beadLine(record, call, { lead: `${call.paint("green", "✓")} Claimed issue: ` }),
      json: [listedBead(graph, record)],
    };
  });
}

async function claimReady(call: Call): Promise<ListedBead | undefined> {
  for (const graph of scopeOf(call)) {
    const lease = claimLease(await settingsOf(graph, call.context));
    for (let lost = 0; lost < mostLost; lost += 1) {
      const record = await call.transact(graph, (tx) => claimOne(tx, call, lease), `claim ${lost}`);
      if (record === undefined) break;
      if (!call.flags.isSet("sync")) return { graph, record };
      const { held } = await publishClaims(call, [{ id: record.id, graph, value: record }], new Set());
      const [first] = held;
      if (first !== undefined) return { graph, record: graph.get(first.id) ?? first.value };
    }
  }
  return undefined;
}

/** Claims the most urgent bead that nobody else is assigned to; all in the transaction, so two callers never get one. */
function claimOne(tx: GraphTransaction, call: Call, lease: { readonly leaseMs?: number }): BeadRecord | undefined {
  const me = call.author.actor;
  const free = readyIn(tx, call).filter(({ assignee }) => (assignee ?? "") === "" || assignee === me);
  const [first] = sortBeads(free, sortPolicy(call.flags.text("sort") ?? "priority"), { nowMs: call.now });
  return first === undefined ? undefined : tx.claim(first.id, me, lease);
}

/** What waited for a gate that is closed now and can be done, with nobody on it or on the molecule it belongs to. */
function gated(call: Call): Promise<Answer> {
  const found: ListedBead[] = [];
  for (const graph of scopeOf(call)) {
    const roots = new Map<string, BeadRecord>();
    for (const gate of graph.list({ type: ["gate"], status: ["closed"] })) {
      for (const { issue_id: id, type } of graph.dependentsOf(gate.id)) {
        const step = graph.get(id);
        if (!blockingTypes.has(type) || step?.status !== "open" || graph.isBlocked(id)) continue;
        const root = graph.parentOf(id) ?? step;
        if ((step.assignee ?? "") === "" && !isClaimed(root)) roots.set(root.id, root);
      }
    }
    for (const record of matching(graph, [...roots.values()], call)) found.push({ graph, record });
  }
  return listing(call, byPolicy(found, call), {
    limit: call.flags.number("limit") ?? defaultLimit,
    isTree: false,
    nothing: "No molecule waits to be gone on with: no gate has opened, or somebody has it.",
  });
}

/** Steps of a molecule whose needs within it are met, in order. */
function stepsReady(call: Call, id: string): Promise<Answer> {
  const { graph, record: root } = findBead(id, call.context);
  const steps = descendantsOf(graph, root.id);
  const inside = new Set(steps.map((step) => step.id));
  const isHeld = (bead: string): boolean => graph.blockersOf(bead).some((blocker) => inside.has(blocker.id));
  const isOpen = (step: BeadRecord): boolean => step.status === "open" && step.issue_type !== "gate";
  // A step is held by what holds the step around it.
  const held = new Set<string>();
  for (const step of steps) if (isHeld(step.id) || held.has(graph.parentOf(step.id)?.id ?? "")) held.add(step.id);
  const ready = steps.filter((step) => isOpen(step) && !held.has(step.id));
  if (steps.length === 0) throw usageError(`${root.id} has no steps`, `bd show ${root.id}`);
  return listing(
    call,
    ready.map((record) => ({ graph, record })),
    { limit: undefined, isTree: false, nothing: `No step of ${root.id} can be done now.` },
  );
}

function explain(call: Call): Answer {
  const graphs = scopeOf(call);
  const ready = byPolicy(
    graphs.flatMap((graph) => readyIn(graph, call).map((record) => ({ graph, record }))),
    call,
  );
  const blocked = graphs.flatMap((graph) => {
    const waiting = graph
      .list({ status: ["open"] })
      .filter((record) => graph.isBlocked(record.id) && metadataOf(record)[META.step] === undefined);
    return matching(graph, waiting, call).map((record) => ({ graph, record }));
  });
  const cycles = graphs.flatMap((graph) => cyclesOf(graph));
  return {
    text: () => explainText(call, ready, blocked, cycles),
    json: {
      ready: ready.map(({ graph, record }) => ({ ...listedBead(graph, record), ...reasonOf(graph, record) })),
      blocked: blocked.map(({ graph, record }) => ({ ...listedBead(graph, record), ...waitingFor(graph, record) })),
      cycles,
      summary: { total_ready: ready.length, total_blocked: blocked.length, cycle_count: cycles.length },
    },
  };
}

function reasonOf(
  graph: WorkGraph,
  record: BeadRecord,
): { readonly reason: string; readonly resolved_blockers: readonly string[] } {
  const done = (record.dependencies ?? [])
    .filter(({ type }) => type !== "parent-child")
    .map((edge) => edge.depends_on_id);
  const resolved = done.filter((id) => graph.get(id)?.status === "closed");
  return {
    reason: resolved.length === 0 ? "no blocking dependencies" : `${resolved.length} blocker(s) resolved`,
    resolved_blockers: resolved,
  };
}

function waitingFor(graph: WorkGraph, record: BeadRecord) {
  const blockers = graph.blockersOf(record.id);
  const parent = graph.parentOf(record.id);
  const shown = blockers.length === 0 && parent !== undefined ? [parent] : blockers;
  const known = shown.map(({ id, title, status, priority }) => ({ id, title, status, priority }));
  const missing = openBlockerIds(graph, record).filter((id) => !shown.some((blocker) => blocker.id === id));
  return { blocked_by: [...known, ...missing.map((id) => ({ id }))], blocked_by_count: known.length + missing.length };
}

function explainText(
  call: Call,
  ready: readonly ListedBead[],
  blocked: readonly ListedBead[],
  cycles: readonly (readonly string[])[],
): string {
  return [
    `Ready (${ready.length}):`,
    ...ready.flatMap(({ graph, record }) => [
      beadLine(record, call, { lead: "  " }),
      `      ${reasonOf(graph, record).reason}`,
    ]),
    `Blocked (${blocked.length}):`,
    ...blocked.flatMap(({ graph, record }) => [
      beadLine(record, call, { lead: "  " }),
      `      waits for ${waitingFor(graph, record)
        .blocked_by.map(({ id }) => id)
        .join(", ")}`,
    ]),
    ...(cycles.length === 0
      ? []
      : [`Circles (${cycles.length}), which never get ready:`, ...cycles.map((ids) => `  ${ids.join(" → ")}`)]),
  ].join("\n");
}
