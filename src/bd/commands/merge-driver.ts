import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { readJsonl } from "../../domain/work-graph/exchange/read-jsonl.ts";
import { writeJsonl } from "../../domain/work-graph/exchange/write-jsonl.ts";
import { prefixOf } from "../../domain/work-graph/ids/parse-id.ts";
import { mergeGraphs } from "../../domain/work-graph/merge/merge-graphs.ts";
import type { SharedSettings } from "../../domain/work-graph/merge/merge-settings.ts";
import { mergeSettings } from "../../domain/work-graph/merge/merge-settings.ts";
import { hashText, sameJson } from "../../domain/work-graph/record/canonical.ts";
import { TownError } from "../../errors/town-error.ts";
import { allowedPath, readInput } from "../access/files.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { usageError } from "../grammar/usage-error.ts";
import { cleanLine } from "../output/plain-text.ts";

export const mergeDriverCommand: BdCommand = {
  name: "merge-driver",
  group: "Store",
  summary: "merge a JSONL file of beads by record and field, for git: OURS becomes the result",
  args: "<base> <ours> <theirs>",
  examples: ["bd merge-driver install"],
  section: { title: "git runs", lines: ["bd merge-driver %O %A %B"] },
  run: mergeFiles,
};

export const mergeDriverInstallCommand: BdCommand = {
  name: "merge-driver install",
  group: "Store",
  summary: "let git use it: sets merge.beads in the repository's config",
  run: async (call) => {
    if (call.context.readOnly === true || call.flags.isSet("readonly"))
      throw new TownError("ReadOnly", "bd merge-driver install changes something, and this is read-only");
    const line = await call.context.tools.installMergeDriver(call.home);
    return {
      text: `${call.paint("green", "✓")} git knows the merge driver \`beads\`. Use it for your files with a line in .gitattributes:\n  ${line}`,
      json: { installed: true, gitattributes: line },
    };
  },
};

/**
 * Exit code 0: merged. 1: git shall treat it as a conflict, and OURS is left as it was. A line that is no bead is never
 * dropped: it makes a conflict.
 */
async function mergeFiles(call: Call): Promise<Answer> {
  const [base, ours, theirs] = call.args;
  if (base === undefined || ours === undefined || theirs === undefined)
    throw usageError(
      `accepts at least 3 arg(s), received ${call.args.length}`,
      "git config merge.beads.driver 'bd merge-driver %O %A %B'",
    );
  const [baseText, ourText, theirText] = await Promise.all(
    [base, ours, theirs].map((path) => readInput(path, call.context)),
  );
  const result = mergeJsonl({ base: baseText ?? "", ours: ourText ?? "", theirs: theirText ?? "" }, call.now);
  if ("problem" in result)
    throw new TownError("MergeConflict", `cannot merge ${ours}: ${result.problem}`, {
      hint: "merge that line by hand",
    });
  if (result.text !== ourText) await call.context.files.writeAtomic(await allowedPath(ours, call.context), result.text);
  return {
    text: "",
    notes: [
      ...[...result.rekeyed].map(([from, to]) => `Note: ${from} was given twice; ours is now ${to}`),
      ...result.lostClaims.map((id) => `Note: ${id} was claimed on both sides; theirs counts`),
    ],
  };
}

interface MergedFile {
  readonly text: string;
  readonly rekeyed: ReadonlyMap<string, string>;
  readonly lostClaims: readonly string[];
}

/** Merges three versions of a file of beads. */
export function mergeJsonl(
  texts: { readonly base: string; readonly ours: string; readonly theirs: string },
  nowMs: number,
): MergedFile | { readonly problem: string } {
  const sides = { base: read(texts.base, nowMs), ours: read(texts.ours, nowMs), theirs: read(texts.theirs, nowMs) };
  for (const [name, { problems }] of Object.entries(sides)) {
    const [first] = problems;
    if (first !== undefined) return { problem: `line ${first.line} of ${name}: ${cleanLine(first.problem)}` };
  }
  const [base, ours, theirs] = [sides.base.records, sides.ours.records, sides.theirs.records];
  const ids = [...new Set([...base.keys(), ...theirs.keys()])].sort();
  const result = mergeGraphs({
    changed: ids.filter((id) => !sameJson(base.get(id), theirs.get(id))),
    base: (id) => base.get(id),
    ours: (id) => ours.get(id),
    theirs: (id) => theirs.get(id),
    oursChanged: () => [...ours.values()].filter((record) => !sameJson(base.get(record.id), record)),
    newId: freshIds(ours),
    stamp: new Date(nowMs).toISOString(),
  });
  const merged = new Map(ours);
  for (const [id, record] of result.records) {
    if (record === undefined) merged.delete(id);
    else merged.set(id, record);
  }
  const memories = [...mergeSettings(asSettings(sides.base), asSettings(sides.ours), asSettings(sides.theirs))].map(
    ([key, { value }]) => ({ key, value }),
  );
  const { text } = writeJsonl(merged.values(), { existing: texts.ours, all: true, memories });
  return { text, rekeyed: result.rekeyed, lostClaims: result.lostClaims.map(({ id }) => id) };
}

function asSettings({ memories }: ReturnType<typeof read>): SharedSettings {
  return new Map(memories.map(({ key, value }) => [key, { value }]));
}

function read(text: string, nowMs: number) {
  const { records, problems, memories } = readJsonl(text, { nowMs });
  return { records: new Map(records.map((record) => [record.id, record])), problems, memories };
}

// From what the file holds, so that the same merge made twice gives the same file.
function freshIds(ours: ReadonlyMap<string, BeadRecord>): () => string {
  let made = 0;
  const seed = [...ours.keys()].sort().join("\n");
  const prefix = prefixOf([...ours.keys()][0] ?? "") ?? "bd";
  return () => {
    made += 1;
    return `${prefix}-${hashText(`${seed}\n${made}`).slice(0, 7)}${made % 10}`;
  };
}
