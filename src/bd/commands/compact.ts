import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import type { Tier } from "../../domain/work-graph/compaction/digest.ts";
import { bodySize, compactionLevel, digestFields, isDigest } from "../../domain/work-graph/compaction/digest.ts";
import { mechanicalDigest } from "../../domain/work-graph/compaction/mechanical-digest.ts";
import { requireBead, requireIn } from "../access/find-bead.ts";
import { readInput } from "../access/files.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { flag, number, text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { cleanLine } from "../output/plain-text.ts";
import { compactable } from "../queries/compaction.ts";
import { counted } from "../output/counted.ts";

export const compactCommand: BdCommand = {
  name: "compact",
  group: "Store",
  summary: "put digests in place of the texts of old closed beads; --full still shows them",
  flags: [
    flag("analyze", "show what could be compacted, with its texts in --json"),
    flag("auto", "compact all of it, each to a digest made by rule"),
    flag("apply", "compact one bead with --summary"),
    text("id", "ID", "with --apply: the bead"),
    text("summary", "TEXT", "with --apply: its summary; @FILE or - reads it"),
    number("tier", "1|2", "1: closed 30 days; 2: closed 90 days and compacted once; default 1"),
    number("days", "N", "closed for N days instead"),
    number("limit", "N", "at most N; default all", "n"),
    flag("dry-run", "only show"),
    flag("stats", "how much was compacted"),
  ],
  examples: [
    "bd compact --analyze --json",
    "bd compact --auto --dry-run",
    'bd compact --apply --id api-x1 --summary "…"',
  ],
  writes: true,
  run: compact,
};

function compact(call: Call): Answer | Promise<Answer> {
  const { flags } = call;
  if (flags.isSet("stats")) return stats(call);
  if (flags.isSet("apply")) return applyOne(call);
  if (flags.isSet("auto")) return applyAll(call);
  return analyze(call);
}

function candidates(call: Call): readonly BeadRecord[] {
  const days = call.flags.number("days");
  const found = compactable(call.home, { tier: tierOf(call), now: call.now, ...(days === undefined ? {} : { days }) });
  const limit = call.flags.number("limit") ?? 0;
  return limit > 0 ? found.slice(0, limit) : found;
}

function tierOf({ flags }: Call): Tier {
  const tier = flags.number("tier") ?? 1;
  if (tier === 1 || tier === 2) return tier;
  throw usageError(`invalid tier ${tier}`, "use 1 or 2");
}

function analyze(call: Call): Answer {
  const found = candidates(call);
  return {
    text:
      found.length === 0
        ? "Nothing to compact."
        : [
            ...found.map((record) => `${record.id}  ${bodySize(record)} characters  ${cleanLine(record.title)}`),
            call.own(`${counted(found.length, "bead")}; bd compact --auto makes digests of them`),
          ].join("\n"),
    json: found.map((record) => ({
      id: record.id,
      title: record.title,
      description: record.description ?? "",
      design: record.design ?? "",
      notes: record.notes ?? "",
      acceptance_criteria: record.acceptance_criteria ?? "",
      size_bytes: bodySize(record),
      closed_at: record.closed_at,
      tier: tierOf(call),
    })),
  };
}

async function applyAll(call: Call): Promise<Answer> {
  const tier = tierOf(call);
  const found = candidates(call)
    .map((record) => ({ record, digest: mechanicalDigest(record, tier) }))
    .filter(({ record, digest }) => digest.length < bodySize(record));
  if (found.length === 0) return { text: "Nothing to compact.", json: { compacted: [], saved: 0 } };
  const saved = found.reduce((sum, { record, digest }) => sum + bodySize(record) - digest.length, 0);
  if (call.flags.isSet("dry-run"))
    return {
      text: `Would compact ${counted(found.length, "bead")} and save ${saved} characters`,
      json: { dry_run: true, compacted: found.map(({ record }) => record.id), saved },
    };
  const { commit } = await call.home.flush();
  const done = await call.transact(call.home, (tx) =>
    found.flatMap(({ record, digest }) => {
      const now = tx.get(record.id);
      // It was reopened or changed since: its texts are not history.
      if (now === undefined || now.updated_at !== record.updated_at) return [];
      tx.update(record.id, digestFields(now, { digest, tier, commit, now: tx.now }));
      return [record.id];
    }),
  );
  return {
    text: `${call.paint("green", "✓")} Compacted ${counted(done.length, "bead")}, ${saved} characters less; --full shows the texts`,
    json: { compacted: done, saved },
  };
}

async function applyOne(call: Call): Promise<Answer> {
  const { flags, context } = call;
  const id = flags.text("id");
  const given = flags.text("summary");
  if (id === undefined || given === undefined)
    throw usageError("--apply needs --id and --summary", 'bd compact --apply --id ID --summary "…"');
  const digest = (await summaryText(given, call)).trim();
  const { graph } = requireBead(id, context);
  const tier = tierOf(call);
  const { commit } = await graph.flush();
  const sizes = await call.transact(graph, (tx) => {
    const record = requireIn(tx, id);
    if (record.status !== "closed") throw usageError(`${id} is not closed`, "only closed beads are compacted");
    if (compactionLevel(record) >= tier)
      throw usageError(`${id} is compacted already (tier ${compactionLevel(record)})`);
    const before = bodySize(record);
    if (digest === "" || digest.length >= before)
      throw usageError(
        `the summary has ${digest.length} characters, what it replaces has ${before}`,
        "it must be shorter",
      );
    tx.update(id, digestFields(record, { digest, tier, commit, now: tx.now }));
    return { before, after: digest.length };
  });
  return {
    text: `${call.paint("green", "✓")} Compacted ${id}: ${sizes.before} → ${sizes.after} characters`,
    json: { compacted: true, id, original_size: sizes.before, compacted_size: sizes.after },
  };
}

function summaryText(given: string, { context }: Call): Promise<string> {
  if (given === "-") return readInput("-", context);
  return given.startsWith("@") ? readInput(given.slice(1), context) : Promise.resolve(given);
}

function stats(call: Call): Answer {
  const compacted = call.home.list().filter((record) => isDigest(record));
  const saved = compacted.reduce(
    (sum, record) => sum + Math.max(0, Number(record["original_size"] ?? 0) - bodySize(record)),
    0,
  );
  const open = {
    tier1: compactable(call.home, { tier: 1, now: call.now }).length,
    tier2: compactable(call.home, { tier: 2, now: call.now }).length,
  };
  return {
    text: `Compacted: ${counted(compacted.length, "bead")}, ${saved} characters less.\nCould be compacted: ${open.tier1} (tier 1), ${open.tier2} (tier 2).`,
    json: { compacted: compacted.length, saved, candidates: open },
  };
}
