import { writeJsonl } from "../../domain/work-graph/exchange/write-jsonl.ts";
import { TownError } from "../../errors/town-error.ts";
import { fullFlag } from "../access/full-text.ts";
import { absolute, allowedPath, parentOf, readInput, stdinText } from "../access/files.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import type { BackupTexts, ImportSummary } from "../context.ts";
import { memoriesOf, memoryPrefix } from "./memory.ts";
import { also, flag, text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { cleanLine } from "../output/plain-text.ts";
import { counted } from "../output/counted.ts";

export const importCommand: BdCommand = {
  name: "import",
  group: "Store",
  summary: "take in beads of bd, of any version: a JSONL file, a directory, or stdin; default .beads",
  args: "[file|directory|-]",
  flags: [
    also(text("input", "FILE", "the file, instead of the argument", "i"), "file"),
    flag("dry-run", "only show what would happen"),
    flag("allow-stale", "records older than those here overwrite them, too"),
  ],
  examples: ["bd import .beads/issues.jsonl", "bd import .beads/backup", "ssh host bd export | bd import -"],
  writes: true,
  run: runImport,
};

async function runImport(call: Call): Promise<Answer> {
  const source = call.args[0] ?? call.flags.text("input") ?? (await defaultSource(call.context));
  if (call.args.length > 1) throw usageError(`accepts 1 arg(s), received ${call.args.length}`, "bd import FILE");
  const dryRun = call.flags.isSet("dry-run");
  const what = await importSource(source, call);
  const options = { source, author: call.author, nowMs: call.now, dryRun, allowStale: call.flags.isSet("allow-stale") };
  const summary = await call.context.tools.importFrom(call.home, what, options);
  if (!dryRun && summary.memories.length > 0) {
    const memories = Object.fromEntries(summary.memories.map(({ key, value }) => [`${memoryPrefix}${key}`, value]));
    await call.context.tools.changeSettings(call.home, memories);
  }
  const { created, updated, unchanged, older, problems, memories } = summary;
  return {
    text: importText(summary, source, dryRun, call),
    json: {
      source: source === "-" ? "stdin" : source,
      ...(dryRun ? { dry_run: true } : {}),
      created: created.length,
      updated: updated.length,
      unchanged,
      skipped: older.length,
      older,
      memories: memories.length,
      problems: problems.map(({ line, problem }) => ({ line, problem })),
      ids: [...created, ...updated],
    },
    notes: [
      ...problems.map(
        ({ line, problem }) => `Warning: ${source}:${line}: ${cleanLine(problem)}${dryRun ? "" : "; set aside"}`,
      ),
      ...(problems.length === 0 || dryRun
        ? []
        : [call.own("Note: bd doctor lists what was set aside, and where it is.")]),
      ...summary.notes.map(({ line, problem }) => `Note: ${source}:${line}: ${cleanLine(problem)}`),
    ],
    exitCode: problems.length > 0 && created.length + updated.length + unchanged === 0 ? 1 : 0,
  };
}

/** Without a file: what is piped in, else the `.beads` directory above. Throws TownError `Usage`. */
async function defaultSource({ stdin, files, cwd }: Call["context"]): Promise<string> {
  if (stdin !== undefined && stdin.trim() !== "") return "-";
  for (let directory = cwd; ; directory = parentOf(directory)) {
    const found = `${directory === "/" ? "" : directory}/.beads`;
    if ((await files.stat(found))?.kind === "Directory") return found;
    if (directory === "/") break;
  }
  throw usageError(
    "nothing to import: no file is named, nothing is piped in, and there is no .beads",
    "bd import FILE",
  );
}

function importText(summary: ImportSummary, source: string, dryRun: boolean, { paint }: Call): string {
  const counts: readonly (readonly [number, string])[] = [
    [summary.created.length, "created"],
    [summary.updated.length, "updated"],
    [summary.unchanged, "unchanged"],
    [summary.older.length, "older than here, left (--allow-stale takes them)"],
    [summary.memories.length, summary.memories.length === 1 ? "memory" : "memories"],
    [summary.problems.length, summary.problems.length === 1 ? "unreadable line" : "unreadable lines"],
  ];
  const told = counts.filter(([count], i) => count > 0 || i === 0).map(([count, what]) => `${count} ${what}`);
  const verb = dryRun ? "Would import" : `${paint("green", "✓")} Imported`;
  return `${verb} from ${source === "-" ? "stdin" : source}: ${told.join(", ")}`;
}

async function importSource(
  source: string,
  call: Call,
): Promise<{ readonly text: string } | { readonly backup: BackupTexts }> {
  if (source === "-") return { text: stdinText(call.context) };
  const { files } = call.context;
  const path = await allowedPath(source, call.context);
  if ((await files.stat(path))?.kind !== "Directory") return { text: await readInput(source, call.context) };
  // A backup has its dependencies in a file of their own; a .beads directory has everything in one.
  if ((await files.stat(`${path}/dependencies.jsonl`)) !== undefined) {
    const read = (name: string): Promise<string | undefined> => files.readText(`${path}/${name}.jsonl`);
    return {
      backup: {
        issues: (await read("issues")) ?? "",
        dependencies: await read("dependencies"),
        labels: await read("labels"),
        comments: await read("comments"),
      },
    };
  }
  for (const name of ["issues.jsonl", "beads.jsonl", "bd.jsonl", "beads.base.jsonl"]) {
    const found = await files.readText(`${path}/${name}`);
    if (found !== undefined) return { text: found };
  }
  throw new TownError("NoSuchFile", `cannot import ${source}: it holds neither issues.jsonl nor a backup`, {
    hint: "name the file itself",
  });
}

export const exportCommand: BdCommand = {
  name: "export",
  group: "Store",
  summary: "write beads as the JSONL of bd; lines of unchanged beads keep their bytes",
  flags: [
    text("output", "FILE", "write this file; default stdout", "o"),
    flag("all", "wisps and records of the machinery, too"),
    flag("include-infra", "the same as --all"),
    flag("no-templates", "without templates"),
    flag("include-memories", "memories, too"),
    fullFlag,
  ],
  examples: ["bd export -o .beads/issues.jsonl", "bd export | jq -r .title"],
  // Lines of the former file that cannot be read are kept in the store.
  writesWith: ["output"],
  run: runExport,
};

async function runExport(call: Call): Promise<Answer> {
  const { flags, context, home } = call;
  const all = flags.isSet("all") || flags.isSet("include-infra");
  const templates = !flags.isSet("no-templates");
  const memories = flags.isSet("include-memories") || flags.isSet("all") ? await memoriesOf(call) : undefined;
  const output = flags.text("output");
  const stored = context.tools.records(home);
  const { records, missing } = flags.isSet("full")
    ? await context.tools.fullTexts(home, stored)
    : { records: stored, missing: [] };
  const notes =
    missing.length === 0 ? [] : [`Note: ${counted(missing.length, "bead")} still as digests: the texts are not here.`];
  if (output === undefined || output === "-") {
    const { text: lines } = writeJsonl(records, { existing: undefined, all, templates, memories });
    return { text: lines.replace(/\n$/, ""), isRaw: true, notes };
  }
  const path = await allowedPath(output, context);
  const existing = (await context.files.readText(path)) ?? "";
  const isNothing = writeJsonl(records, { existing: undefined, all, templates, memories }).text === "";
  if (isNothing && existing.trim() !== "")
    throw new TownError("EmptyExport", `cannot export: there is nothing to write, and ${output} is not empty`, {
      hint: "remove the file first if that is what you want",
    });
  const { written, dropped } = await context.tools.exportTo(home, absolute(output, context.cwd), {
    records,
    all,
    templates,
    memories,
  });
  return {
    text: `${call.paint("green", "✓")} Exported ${counted(written, "issue")} to ${output}`,
    json: { exported: written, output, dropped_lines: dropped },
    notes: [...notes, ...(dropped > 0 ? [`Note: ${dropped} unreadable lines of ${output} were set aside.`] : [])],
  };
}
