import { stringify } from "yaml";
import { formulaType } from "../domain/formulas/formula.ts";
import type { FormulaDocument } from "../domain/formulas/formula-document.ts";
import type { Protomolecule, ProtoStep } from "../domain/formulas/protomolecule.ts";
import type { LibraryEntry } from "./formula-library.ts";

/** One line a formula, within `width` columns: name, type, revision, steps, what it is for. */
export function formulaList(
  entries: readonly { readonly entry: LibraryEntry; readonly tier: string; readonly steps: number | undefined }[],
  width: number,
): string {
  const rows = entries.map(({ entry, tier, steps }) => [
    entry.name,
    entry.document === undefined ? "-" : formulaType(entry.document),
    tier,
    steps === undefined ? "broken" : String(steps),
    firstLine(entry.document?.catalog?.description ?? entry.document?.description ?? ""),
  ]);
  const table = [["NAME", "TYPE", "TIER", "STEPS", "DESCRIPTION"], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => (row[column] ?? "").length)));
  return table
    .map((row) => {
      const line = row.map((cell, column) => (column < 4 ? cell.padEnd(widths[column] ?? 0) : cell)).join("  ");
      return cut(line.trimEnd(), width);
    })
    .join("\n");
}

/** What a formula is, where it comes from, what it takes and the tree of its steps. */
export function formulaPage(
  entry: LibraryEntry,
  about: { readonly tier: string; readonly proto: Protomolecule | undefined },
  width: number,
): string {
  const { document } = entry;
  const lines = [
    `${entry.name}${document === undefined ? "" : ` (${formulaType(document)}, revision ${document.version ?? 1})`}`,
  ];
  if ((document?.description ?? "") !== "") lines.push("", (document?.description ?? "").trim());
  lines.push("", `File: ${entry.path} (${about.tier})`);
  for (const path of entry.shadowed) lines.push(`      instead of ${path}`);
  const variables = document === undefined ? [] : variableLines(document);
  if (variables.length > 0) lines.push("", "Variables:", ...variables.map((line) => cut(`  ${line}`, width)));
  if (about.proto !== undefined) lines.push("", `Steps (${about.proto.steps.length}):`, stepTree(about.proto, width));
  return lines.join("\n");
}

function variableLines(document: FormulaDocument): readonly string[] {
  const all = [...Object.entries(document.vars ?? {}), ...Object.entries(document.inputs ?? {})];
  return all.map(([name, rule]) => {
    const facts = [
      rule.required === true ? "required" : undefined,
      rule.default === undefined ? undefined : `default ${JSON.stringify(rule.default)}`,
      "enum" in rule && rule.enum !== undefined ? `one of ${rule.enum.join(", ")}` : undefined,
      "pattern" in rule && rule.pattern !== undefined ? `matches ${rule.pattern}` : undefined,
      rule.type,
    ].filter((fact) => fact !== undefined);
    const described = rule.description === undefined ? "" : `: ${firstLine(rule.description)}`;
    return `${name}${facts.length === 0 ? "" : ` (${facts.join("; ")})`}${described}`;
  });
}

/** Steps with inner ones indented, what each needs, and what is special about it, within `width` columns. */
export function stepTree(proto: Protomolecule, width: number): string {
  const below = new Map<string | undefined, ProtoStep[]>();
  for (const step of proto.steps) {
    const siblings = below.get(step.parent);
    if (siblings === undefined) below.set(step.parent, [step]);
    else siblings.push(step);
  }
  const lines: string[] = [];
  const add = (parent: string | undefined, indent: string): void => {
    for (const step of below.get(parent) ?? []) {
      const notes = [
        step.needs.length === 0 ? undefined : `← ${step.needs.join(", ")}`,
        step.gate === undefined ? undefined : `gate ${step.gate.type}`,
        step.waitsFor === undefined ? undefined : `waits for ${step.waitsFor.gate} of ${step.waitsFor.spawner}`,
      ].filter((note) => note !== undefined);
      lines.push(
        cut(`${indent}${step.id}  ${firstLine(step.title)}${notes.length === 0 ? "" : `  ${notes.join("; ")}`}`, width),
      );
      add(step.id, `${indent}  `);
    }
  };
  add(undefined, "  ");
  return lines.join("\n");
}

export function protomoleculeText(proto: Protomolecule, format: "json" | "yaml"): string {
  return format === "json" ? `${JSON.stringify(proto, undefined, 2)}\n` : stringify(proto, { lineWidth: 0 });
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}

function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}
