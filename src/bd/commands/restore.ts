import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { compactionLevel, isDigest, restoredFields } from "../../domain/work-graph/compaction/digest.ts";
import { TownError } from "../../errors/town-error.ts";
import type { GraphTransaction } from "../../ports/work-graph.ts";
import { requireBead, requireIn } from "../access/find-bead.ts";
import { inFull } from "../access/full-text.ts";
import { requireMayChange } from "../access/limits.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { usageError } from "../grammar/usage-error.ts";
import { listedBead } from "../output/bead-json.ts";
import { cleanLine } from "../output/plain-text.ts";
import { eachBead } from "../writes/each-bead.ts";

export const restoreCommand: BdCommand = {
  name: "restore",
  group: "Store",
  summary: "put the texts of compacted beads back in place of their digests",
  args: "<id>...",
  examples: ["bd restore api-x1"],
  writes: true,
  run: restore,
};

async function restore(call: Call): Promise<Answer> {
  const originals = await originalsOf(call, call.args);
  const { done, notes, exitCode } = await eachBead(call, call.args, (tx, id) => {
    const before = requireIn(tx, id);
    requireMayChange(call, before, "restore");
    if (!isDigest(before)) throw usageError(`${id} is not compacted`, "it has its own texts");
    const after = restoreTexts(tx, id, originals);
    if (after !== undefined) return after;
    throw new TownError("TextsMissing", `cannot restore ${id}: its texts are not in this repository`, {
      hint: "a shallow clone gets them with: git fetch --unshallow",
    });
  });
  return {
    text: done
      .map(({ value }) => `${call.paint("green", "✓")} Restored ${value.id} - ${cleanLine(value.title)}`)
      .join("\n"),
    json: done.map(({ graph, value }) => listedBead(graph, graph.get(value.id) ?? value)),
    notes,
    exitCode,
  };
}

/** The compacted ones among the named beads, as they were before; read ahead of the transaction that writes them. */
export async function originalsOf(
  { context }: Pick<Call, "context">,
  ids: readonly string[],
): Promise<ReadonlyMap<string, BeadRecord>> {
  const digests = ids.flatMap((id) => {
    try {
      const found = requireBead(id, context);
      return isDigest(found.record) ? [found] : [];
    } catch (error) {
      // Who changes the bead says what is wrong with it.
      if (error instanceof TownError) return [];
      throw error;
    }
  });
  if (digests.length === 0) return new Map();
  const { beads } = await inFull(digests, context);
  return new Map(beads.filter(({ record }) => !isDigest(record)).map(({ record }) => [record.id, record]));
}

/** Puts the texts back; undefined when they are not known, or the bead was compacted further since they were read. */
export function restoreTexts(
  tx: GraphTransaction,
  id: string,
  originals: ReadonlyMap<string, BeadRecord>,
): BeadRecord | undefined {
  const original = originals.get(id);
  const before = requireIn(tx, id);
  if (original === undefined || compactionLevel(before) === 0) return undefined;
  return tx.update(id, restoredFields(before, original));
}
