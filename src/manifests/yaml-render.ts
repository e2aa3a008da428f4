import { Document, isMap, isScalar, isSeq, stringify, visit } from "yaml";
import type { Node, Scalar } from "yaml";

/** How a file is written, so that what is added looks like the rest. */
export interface YamlStyle {
  readonly lineEnd: "\n" | "\r\n";
  /** Columns by which a mapping inside another is indented. */
  readonly step: number;
  /** Whether the dashes of a list in a mapping are indented. */
  readonly indentLists: boolean;
}

/** Reads the style off a document; YAML's usual one (2 columns, indented dashes) where it does not show. */
export function styleOf(text: string, root: unknown): YamlStyle {
  let step: number | undefined;
  let indentLists: boolean | undefined;
  visit(root as Node, {
    Pair(_, pair) {
      const { key, value } = pair;
      if (!isScalar(key) || !key.range) return undefined;
      const column = columnOf(text, key.range[0]);
      const inner = isMap(value) && value.flow !== true ? value.items[0]?.key : undefined;
      if (isScalar(inner) && inner.range && columnOf(text, inner.range[0]) > column)
        step ??= columnOf(text, inner.range[0]) - column;
      const items = isSeq(value) && value.flow !== true && value.range ? columnOf(text, value.range[0]) : undefined;
      if (items !== undefined) indentLists ??= items > column;
      return undefined;
    },
  });
  return { lineEnd: text.includes("\r\n") ? "\r\n" : "\n", step: step ?? 2, indentLists: indentLists ?? true };
}

export function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf("\n", offset - 1) + 1);
}

/** A value as it stands after `key:` or `-`: what goes on that line, and the lines below it (each with its line end). */
interface Rendered {
  readonly head: string;
  readonly body: string;
}

/**
 * Renders a value for a place whose key or dash is at `column`. `former` is the scalar that stood there: its quoting is
 * kept where the new value can have it.
 */
export function renderValue(value: unknown, column: number, style: YamlStyle, former?: Scalar): Rendered {
  const document = new Document({ k: value }, { version: "1.2" });
  const node = isMap(document.contents) ? document.contents.items[0]?.value : undefined;
  if (isScalar(node)) keepQuotes(node, former);
  const text = document.toString({ lineWidth: 0, indent: style.step, indentSeq: style.indentLists });
  const end = text.indexOf("\n");
  return { head: text.slice("k:".length, end), body: indented(text.slice(end + 1), column, style) };
}

/** The lines of a mapping's member (`key: value`) at a column. */
export function renderMember(key: string, value: unknown, column: number, style: YamlStyle): string {
  const { head, body } = renderValue(value, column, style);
  return `${" ".repeat(column)}${plainYaml(key, style).trimEnd()}:${head}${style.lineEnd}${body}`;
}

/** The lines of a list's item (`- value`) with the dash at a column. */
export function renderItem(value: unknown, column: number, style: YamlStyle): string {
  return indented(plainYaml([value], style), column, style);
}

/** A whole document. */
export function renderDocument(value: unknown): string {
  return stringify(value, { lineWidth: 0 });
}

/** One scalar for the inside of `[…]` or `{…}`. */
export function renderFlowScalar(value: unknown, former?: Scalar): string {
  const document = new Document([value], { version: "1.2" });
  const list = document.contents;
  if (isSeq(list)) list.flow = true;
  const scalar = isSeq(list) ? list.items[0] : undefined;
  if (isScalar(scalar)) keepQuotes(scalar, former);
  if (isScalar(scalar) && typeof value === "string" && value.includes("\n")) scalar.type = "QUOTE_DOUBLE";
  return document.toString({ lineWidth: 0, flowCollectionPadding: false }).trim().slice(1, -1);
}

function keepQuotes(scalar: Scalar, former: Scalar | undefined): void {
  if (typeof scalar.value !== "string" || scalar.value.includes("\n")) return;
  if (former?.type === "QUOTE_DOUBLE" || former?.type === "QUOTE_SINGLE") scalar.type = former.type;
}

function plainYaml(value: unknown, style: YamlStyle): string {
  return stringify(value, { lineWidth: 0, indent: style.step, indentSeq: style.indentLists });
}

function indented(text: string, column: number, style: YamlStyle): string {
  if (text === "") return "";
  const lines = text.endsWith("\n") ? text.slice(0, -1).split("\n") : text.split("\n");
  return lines.map((line) => (line === "" ? "" : " ".repeat(column) + line) + style.lineEnd).join("");
}
