import { join, resolve } from "node:path";
import { cook } from "../domain/formulas/cook.ts";
import { didYouMean } from "../domain/text/suggestion.ts";
import { TownError } from "../errors/town-error.ts";
import { type FormulaFile, loadFormula } from "../manifests/formula-file.ts";
import { formulaLibrary, type LibraryEntry, problemAt } from "../manifests/formula-library.ts";
import { formulaList, formulaPage, protomoleculeText, stepTree } from "../manifests/formula-text-view.ts";
import { isFormulaFile } from "../manifests/formula-text.ts";
import { type Problem, problemText } from "../manifests/problem.ts";
import type { Files } from "../ports/files.ts";
import type { Git } from "../ports/git.ts";
import { readFormulaFiles } from "./formula-files.ts";

export interface FormulaCall {
  readonly action: string;
  readonly args: readonly string[];
  /** `NAME=VALUE` each. */
  readonly vars: readonly string[];
  readonly output: string | undefined;
  /** Absolute: the town, or where the user stands. */
  readonly directory: string;
  readonly columns: number;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

export interface FormulaPorts {
  readonly git: Git;
  readonly files: Files;
  /** Formulas that come with the program. */
  readonly builtinDirectory: string;
}

interface Library {
  readonly files: readonly FormulaFile[];
  readonly entries: ReadonlyMap<string, LibraryEntry>;
  readonly tierOf: (entry: LibraryEntry) => string;
}

/**
 * `town formula list|show|validate|cook` on the files as saved: of the town that one stands in, then those built in.
 * Returns 0, or 1 when a formula is broken; what is wrong is printed with its place.
 */
export async function runFormula(call: FormulaCall, ports: FormulaPorts): Promise<number> {
  const library = await libraryOf(call, ports);
  switch (call.action) {
    case "list":
      return list(library, call);
    case "show":
      return show(library, entryOf(library, call), call);
    case "cook":
      return cookOne(library, entryOf(library, call), call);
    default:
      return validate(library, call, ports.files);
  }
}

async function libraryOf(call: FormulaCall, { git, files, builtinDirectory }: FormulaPorts): Promise<Library> {
  const root = (await git.open(call.directory))?.path ?? call.directory;
  const town = join(root, "formulas");
  const read = await readFormulaFiles(files, town === builtinDirectory ? [town] : [town, builtinDirectory]);
  return {
    files: read,
    entries: formulaLibrary(read),
    tierOf: ({ path }) => (path.startsWith(`${builtinDirectory}/`) ? "built-in" : "town"),
  };
}

function entryOf({ entries }: Library, { action, args }: FormulaCall): LibraryEntry {
  const [name, ...more] = args;
  if (name === undefined || more.length > 0)
    throw new TownError("UsageError", `town formula ${action} takes the name of one formula`, {
      hint: "town formula list",
    });
  const found = entries.get(name);
  if (found !== undefined) return found;
  const meant = didYouMean(name, entries.keys());
  throw new TownError("NotFound", `there is no formula ${name}`, { hint: meant ?? "town formula list" });
}

function list({ entries, tierOf }: Library, call: FormulaCall): number {
  const rows = [...entries.values()]
    .filter(({ document }) => document?.internal !== true)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((entry) => ({ entry, tier: tierOf(entry), steps: staticSteps(entry) }));
  if (call.output === "json") {
    const data = rows.map(({ entry, tier, steps }) => ({
      name: entry.name,
      tier,
      path: entry.path,
      steps: steps ?? null,
      problems: entry.problems.length,
    }));
    call.out(`${JSON.stringify(data, undefined, 2)}\n`);
  } else call.out(`${formulaList(rows, call.columns)}\n`);
  return 0;
}

function staticSteps({ formula }: LibraryEntry): number | undefined {
  return formula === undefined ? undefined : (cook(formula, LENIENT).protomolecule?.steps.length ?? 0);
}

/** As it is without values: for showing. */
const LENIENT = { values: {}, lenient: true };

function show({ tierOf }: Library, entry: LibraryEntry, call: FormulaCall): number {
  const proto = entry.formula === undefined ? undefined : cook(entry.formula, LENIENT).protomolecule;
  if (call.output === "json")
    call.out(`${JSON.stringify({ ...entry.document, path: entry.path, shadowed: entry.shadowed }, undefined, 2)}\n`);
  else call.out(`${formulaPage(entry, { tier: tierOf(entry), proto }, call.columns)}\n`);
  return told(entry.problems, call);
}

function cookOne({ files }: Library, entry: LibraryEntry, call: FormulaCall): number {
  if (entry.formula === undefined) return told(entry.problems, call);
  const { protomolecule, problems } = cook(entry.formula, { values: valuesOf(call.vars) });
  const placed = problems.map((problem) => problemAt(problem, files, entry.path));
  const known = new Set(placed.map(problemText));
  const code = told([...entry.problems.filter((problem) => !known.has(problemText(problem))), ...placed], call);
  if (protomolecule === undefined) return code;
  if (call.output === "json" || call.output === "yaml") call.out(protomoleculeText(protomolecule, call.output));
  else
    call.out(`${protomolecule.formula}  ${protomolecule.id.slice(0, 19)}\n${stepTree(protomolecule, call.columns)}\n`);
  return code;
}

function valuesOf(vars: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    vars.map((pair) => {
      const at = pair.indexOf("=");
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
      throw new TownError("UsageError", `--var ${pair} must be NAME=VALUE`, { hint: `--var ${pair}=…` });
    }),
  );
}

/** Without arguments every formula; else those named, or the files, which are read as the nearest of their name. */
async function validate(library: Library, call: FormulaCall, files: Files): Promise<number> {
  const paths = call.args.filter((arg) => isFormulaFile(arg) || arg.includes("/"));
  const named = call.args.filter((arg) => !paths.includes(arg));
  const read: FormulaFile[] = [];
  for (const path of paths) {
    const text = await files.readText(resolve(call.directory, path));
    if (text === undefined) throw new TownError("PathMissing", `Cannot validate ${path}: it does not exist.`);
    read.push(loadFormula(path, text));
  }
  const entries = paths.length === 0 ? library.entries : formulaLibrary([...read, ...library.files]);
  const chosen =
    call.args.length === 0
      ? [...entries.values()]
      : [
          ...[...entries.values()].filter((entry) => paths.includes(entry.path)),
          ...named.map((name) => entryOf({ ...library, entries }, { ...call, args: [name] })),
        ];
  const problems = [
    ...new Map(chosen.flatMap((entry) => entry.problems).map((each) => [problemText(each), each])).values(),
  ];
  if (call.output === "json") {
    call.out(`${JSON.stringify({ formulas: chosen.length, problems }, undefined, 2)}\n`);
    return problems.some(isError) ? 1 : 0;
  }
  const code = told(problems, call);
  const errors = problems.filter(isError).length;
  call.out(
    `${chosen.length} formula${chosen.length === 1 ? "" : "s"}: ${errors} error${errors === 1 ? "" : "s"}, ${problems.length - errors} warning${problems.length - errors === 1 ? "" : "s"}\n`,
  );
  return code;
}

function isError(problem: Problem): boolean {
  return problem.severity === "Error";
}

function told(problems: readonly Problem[], call: FormulaCall): number {
  for (const problem of problems) call.err(`${problemText(problem)}\n`);
  return problems.some(isError) ? 1 : 0;
}
