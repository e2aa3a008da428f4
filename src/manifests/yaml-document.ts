import { isAlias, isCollection, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Document, YAMLError, YAMLMap, YAMLSeq } from "yaml";
import type { DocumentText } from "./document-text.ts";
import { linesOf } from "./document-text.ts";
import type { FieldPath } from "./field-path.ts";
import { MAX_FAULTS, treeFaults } from "./yaml-refusals.ts";
import type { Fault, PlaceAt } from "./yaml-refusals.ts";

/** A document as data with the places of its parts. `faults` not empty: `value` is only what could still be made out. */
export interface YamlDocument {
  readonly value: unknown;
  readonly faults: readonly Fault[];
  /** Line of the first key, or of the document when there is none. */
  readonly line: number;
  /**
   * Place of a value (or of its key), of the nearest part around it when it is not in the document.
   */
  placeOf(path: FieldPath, part: "Key" | "Value"): { readonly line: number; readonly column: number };
}

/** Deepest nesting of brackets and of `- - -` that is parsed: the parser recurses, and very deep input aborts the process. */
const MAX_NESTING = 64;

/** Options that every parse of a manifest uses, here and where a document is patched. */
export const PARSE_OPTIONS = {
  version: "1.2",
  schema: "core",
  prettyErrors: false,
  uniqueKeys: true,
  strict: true,
  logLevel: "silent",
} as const;

/** Parses one document by YAML 1.2 core. Never throws: what is wrong is in `faults`. */
export function parseYaml(part: DocumentText): YamlDocument {
  const tooDeep = nestingFault(part);
  if (tooDeep !== undefined) return unreadable(part, tooDeep);
  const lines = new LineCounter();
  let document: Document.Parsed;
  try {
    document = parseDocument(part.text, { ...PARSE_OPTIONS, lineCounter: lines });
  } catch (error) {
    return unreadable(part, {
      line: part.line,
      column: 0,
      reason: "YamlUnreadable",
      message: `the document cannot be parsed: ${error instanceof Error ? error.message : String(error)}`,
    });
  }
  const place = (offset: number): { line: number; column: number } => {
    const at = lines.linePos(Math.min(offset, part.text.length));
    return { line: at.line + part.line - 1, column: at.col };
  };
  const faults = [...syntaxFaults(document, part.text, place), ...treeFaults(document.contents, place)];
  return {
    value: valueOf(document),
    faults: faults.slice(0, MAX_FAULTS),
    line: document.contents?.range ? place(document.contents.range[0]).line : part.line,
    placeOf: (path, which) => place(offsetOf(document.contents, path, which)),
  };
}

function unreadable(part: DocumentText, fault: Fault): YamlDocument {
  const place = { line: part.line, column: 0 };
  return { value: undefined, faults: [fault], line: part.line, placeOf: () => place };
}

/** Aliases are a fault, so a value is only needed to find out which object it was; a bomb is not unfolded for that. */
function valueOf(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    return undefined;
  }
}

function nestingFault(part: DocumentText): Fault | undefined {
  let depth = 0;
  for (const [index, line] of linesOf(part.text).entries()) {
    const leading = /^\s*((?:[-?:]\s+)*)/.exec(line)?.[1] ?? "";
    let deepest = leading.split(/\s+/).length;
    for (const character of line) {
      if (character === "[" || character === "{") depth += 1;
      else if ((character === "]" || character === "}") && depth > 0) depth -= 1;
      deepest = Math.max(deepest, depth);
    }
    if (deepest > MAX_NESTING) {
      return {
        line: part.line + index,
        column: 0,
        reason: "NestedTooDeeply",
        message: `the document has more than ${MAX_NESTING} open brackets or nested lists`,
        hint: "Close the brackets, or quote the text they are in.",
      };
    }
  }
  return undefined;
}

function syntaxFaults(document: Document.Parsed, text: string, place: PlaceAt): readonly Fault[] {
  const faults: Fault[] = [];
  let broken = false;
  for (const error of document.errors) {
    const repeatable = error.code === "DUPLICATE_KEY" || error.code === "TAB_AS_INDENT";
    if (!repeatable && broken) continue;
    if (!repeatable) broken = true;
    faults.push({ ...place(error.pos[0]), ...describe(error, text) });
  }
  return faults;
}

function describe(error: YAMLError, text: string): Omit<Fault, "line" | "column"> {
  switch (error.code) {
    case "DUPLICATE_KEY": {
      const key = /^[^:\s]+/.exec(text.slice(error.pos[0]))?.[0] ?? "";
      return {
        reason: "KeyRepeated",
        message: `\`${key}\` must be set once in the same mapping`,
        hint: "Remove one of them.",
      };
    }
    case "TAB_AS_INDENT":
      return { reason: "TabIndentation", message: "a tab is used as indentation", hint: "Indent with spaces." };
    case "RESOURCE_EXHAUSTION":
      return { reason: "NestedTooDeeply", message: "the document is nested too deeply" };
    case "BLOCK_AS_IMPLICIT_KEY": {
      // Two slips look alike to a parser: text that holds ': ', and a line that is indented more than the one before it.
      const value = /^.*/.exec(text.slice(error.pos[0]))?.[0] ?? "";
      return /: /.test(value)
        ? {
            reason: "YamlInvalid",
            message: "a value holds ': ', which YAML reads as another key",
            hint: "Put the value into quotes.",
          }
        : {
            reason: "YamlInvalid",
            message: "the lines below are indented as if they belonged to this value",
            hint: "Let keys of one mapping begin in the same column.",
          };
    }
    default:
      return {
        reason: "YamlInvalid",
        message: `the document is not valid YAML: ${lowerFirst(error.message)}`,
        hint: "Check indentation, quotes and brackets here and on the lines around it.",
      };
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function offsetOf(root: unknown, path: FieldPath, which: "Key" | "Value"): number {
  let node: unknown = root;
  let offset = startOf(node) ?? 0;
  for (const [index, part] of path.entries()) {
    const found = typeof part === "number" ? itemAt(node, part) : memberAt(node, part);
    if (found === undefined) return offset;
    const last = index === path.length - 1;
    offset =
      (last && which === "Value" ? startOf(found.value) : undefined) ??
      startOf(found.key) ??
      startOf(found.value) ??
      offset;
    node = found.value;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return (isScalar(node) || isCollection(node) || isAlias(node)) && node.range ? node.range[0] : undefined;
}

function itemAt(node: unknown, index: number): { readonly key?: unknown; readonly value: unknown } | undefined {
  if (!isSeq(node)) return undefined;
  const items = (node as YAMLSeq).items;
  return index < items.length ? { value: items[index] } : undefined;
}

function memberAt(node: unknown, name: string): { readonly key: unknown; readonly value: unknown } | undefined {
  if (!isMap(node)) return undefined;
  return (node as YAMLMap).items.find((pair) => isScalar(pair.key) && String(pair.key.value) === name);
}
