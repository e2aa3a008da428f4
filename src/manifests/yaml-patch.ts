import { isMap, isScalar, isSeq, parseDocument } from "yaml";
import type { Document, Node, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";
import { TownError } from "../errors/town-error.ts";
import { isRecord, jsonEqual } from "../resource/equality.ts";
import { matchItems } from "./item-matching.ts";
import { applyEdits, lineBoundary, lineStart, nextLine } from "./text-edits.ts";
import type { TextEdit } from "./text-edits.ts";
import { PARSE_OPTIONS } from "./yaml-document.ts";
import { dataOf, flowEdits, mutatedText } from "./yaml-flow.ts";
import { columnOf, renderDocument, renderItem, renderMember, renderValue, styleOf } from "./yaml-render.ts";
import type { YamlStyle } from "./yaml-render.ts";

type Data = Readonly<Record<string, unknown>>;

/**
 * The text of one YAML document changed so that it says `target`. Only lines that must change do: comments, blank lines,
 * the order of keys and quoting stay; items of lists are told apart by their `name` or `id` (scalars by themselves).
 * Where the text has a form that cannot be edited in place, the document is written anew, with its comments as far as
 * the parser knows where they belong. Throws TownError `PatchFailed` when even that does not say `target`.
 */
export function patchYaml(text: string, target: Data): string {
  const whole = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  const document = parseDocument(whole, PARSE_OPTIONS);
  if (document.errors.length > 0 || !isMap(document.contents))
    throw new TownError("PatchFailed", "Cannot change a YAML document that does not parse to a mapping.");
  if (jsonEqual(document.toJS(), target)) return text;
  for (const way of [
    () => editedInPlace(whole, document, target),
    () => mutatedText(whole, target),
    () => rewritten(whole, target),
  ]) {
    const next = attempt(way);
    if (next !== undefined && says(next, target)) return next;
  }
  throw new TownError("PatchFailed", "Cannot write the changed object as YAML that reads back the same.", {
    hint: "Edit the file by hand and commit it.",
  });
}

/** Thrown inside this file where a form of text is met that edits cannot handle; the next way is tried. */
class CannotEdit extends Error {}

function attempt<T>(way: () => T): T | undefined {
  try {
    return way();
  } catch (error) {
    if (error instanceof CannotEdit) return undefined;
    throw error;
  }
}

function says(text: string, target: Data): boolean {
  const document = parseDocument(text, PARSE_OPTIONS);
  return document.errors.length === 0 && jsonEqual(document.toJS(), target);
}

function rewritten(text: string, target: Data): string {
  return (text.startsWith("---") ? "---\n" : "") + renderDocument(target);
}

interface Context {
  readonly text: string;
  readonly style: YamlStyle;
}

function editedInPlace(text: string, document: Document.Parsed, target: Data): string {
  const root = document.contents;
  if (!isMap(root)) throw new CannotEdit();
  const context: Context = { text, style: styleOf(text, root) };
  const edits = valueEdits(root, target, context);
  if (edits === undefined) throw new CannotEdit();
  return applyEdits(text, edits);
}

/**
 * Edits inside a collection that stays one; undefined when the node must be replaced as a whole.
 */
function valueEdits(node: Node, target: unknown, context: Context): readonly TextEdit[] | undefined {
  if (jsonEqual(dataOf(node), target)) return [];
  if (isMap(node) && isRecord(target) && Object.keys(target).length > 0 && node.items.length > 0) {
    return node.flow === true ? flowEdits(context.text, node, target) : mapEdits(node, target, context);
  }
  if (isSeq(node) && Array.isArray(target) && target.length > 0 && node.items.length > 0) {
    return node.flow === true ? flowEdits(context.text, node, target) : listEdits(node, target, context);
  }
  return undefined;
}

interface Key {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

function keyOf(pair: Pair): Key {
  const { key } = pair;
  if (!isScalar(key) || typeof key.value !== "string" || !key.range) throw new CannotEdit();
  return { value: key.value, start: key.range[0], end: key.range[1] };
}

function mapEdits(map: YAMLMap, target: Data, context: Context): readonly TextEdit[] {
  const { text, style } = context;
  const first = map.items[0];
  const last = map.items.at(-1);
  if (first === undefined || last === undefined) throw new CannotEdit();
  const column = columnOf(text, keyOf(first).start);
  const edits: TextEdit[] = [];
  const present = new Set<string>();
  for (const [index, pair] of map.items.entries()) {
    const key = keyOf(pair);
    present.add(key.value);
    if (columnOf(text, key.start) !== column) throw new CannotEdit();
    if (!Object.hasOwn(target, key.value) || target[key.value] === undefined)
      edits.push(removal(pair, index === 0, context));
    else edits.push(...memberEdits(pair, target[key.value], column, context));
  }
  const added = Object.keys(target).filter((key) => !present.has(key) && target[key] !== undefined);
  const lines = added.map((key) => renderMember(key, target[key], column, style)).join("");
  if (lines !== "") edits.push(insertion(context, contentEnd(last, text), lines));
  return edits;
}

function insertion({ text }: Context, after: number, lines: string): TextEdit {
  const at = lineBoundary(text, after);
  return { start: at, end: at, text: lines };
}

/** Takes a member out with the comment lines right above it, except above the first, where they may be about the whole. */
function removal(pair: Pair, isFirst: boolean, { text }: Context): TextEdit {
  const key = keyOf(pair);
  const start = lineStart(text, key.start);
  // The first member behind a dash shares its line; the item is written anew instead.
  if (text.slice(start, key.start).trim() !== "") throw new CannotEdit();
  const end = lineBoundary(text, contentEnd(pair, text));
  return { start: isFirst ? start : commentsAbove(text, start, key.start - start), end, text: "" };
}

/** Start of the comment lines directly above a line, at the same column. */
function commentsAbove(text: string, start: number, column: number): number {
  let top = start;
  while (top > 0) {
    const above = lineStart(text, top - 1);
    if (!new RegExp(`^ {${column}}#`).test(text.slice(above, top))) break;
    top = above;
  }
  return top;
}

function memberEdits(pair: Pair, target: unknown, column: number, context: Context): readonly TextEdit[] {
  const node = pair.value as Node | null;
  if (node !== null) {
    const inside = attempt(() => valueEdits(node, target, context));
    if (inside !== undefined) return inside;
  }
  const colon = context.text.indexOf(":", keyOf(pair).end);
  if (colon === -1 || context.text.slice(keyOf(pair).end, colon).trim() !== "") throw new CannotEdit();
  return replacement(node, target, { after: colon + 1, column }, context);
}

/** Replaces the value behind a colon or dash; a comment on that line stays. */
function replacement(
  node: Node | null,
  target: unknown,
  place: { readonly after: number; readonly column: number },
  context: Context,
): readonly TextEdit[] {
  const { after, column } = place;
  const rendered = renderValue(target, column, context.style, isScalar(node) ? node : undefined);
  const old = extentOf(node, after, context.text);
  const keepsBlanks = rendered.head !== "" && old.headStart > after;
  return [
    {
      start: keepsBlanks ? old.headStart : after,
      end: old.headEnd,
      text: keepsBlanks ? rendered.head.trimStart() : rendered.head,
    },
    ...(rendered.body === "" && old.bodyStart === old.bodyEnd
      ? []
      : [{ start: old.bodyStart, end: old.bodyEnd, text: rendered.body }]),
  ];
}

interface Extent {
  /** What stands on the line of the colon or dash; empty at the colon for a collection below it. */
  readonly headStart: number;
  readonly headEnd: number;
  /** The lines below that belong to the value. */
  readonly bodyStart: number;
  readonly bodyEnd: number;
}

function extentOf(node: Node | null, after: number, text: string): Extent {
  const range = node?.range;
  if (!node || !range || range[0] === range[1]) {
    const line = nextLine(text, after);
    return { headStart: after, headEnd: after, bodyStart: line, bodyEnd: line };
  }
  if (isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED")) {
    const line = nextLine(text, range[0]);
    const header = /^[|>][-+0-9]*/.exec(text.slice(range[0]))?.[0] ?? "";
    return {
      headStart: range[0],
      headEnd: range[0] + header.length,
      bodyStart: line,
      bodyEnd: Math.max(line, range[1]),
    };
  }
  if (isInline(node)) {
    const line = lineBoundary(text, range[1]);
    return { headStart: range[0], headEnd: range[1], bodyStart: line, bodyEnd: line };
  }
  const line = nextLine(text, after);
  if (range[0] < line) throw new CannotEdit();
  return { headStart: after, headEnd: after, bodyStart: line, bodyEnd: lineBoundary(text, contentEnd(node, text)) };
}

function isInline(node: Node): boolean {
  return isScalar(node) || ((isMap(node) || isSeq(node)) && node.flow === true);
}

/** Offset at which the last character of a value (or of a whole member) ends; after its line end for block scalars. */
function contentEnd(part: unknown, text: string): number {
  if (isMap(part) && part.flow !== true && part.items.length > 0) return contentEnd(part.items.at(-1), text);
  if (isSeq(part) && part.flow !== true && part.items.length > 0) return listEnd(part, text);
  if (isScalar(part) || isMap(part) || isSeq(part)) return part.range?.[1] ?? 0;
  const pair = part as Pair;
  const key = keyOf(pair);
  const node = pair.value as Node | null;
  const colon = text.indexOf(":", key.end) + 1;
  return node === null || !node.range || isEmpty(node) ? colon : contentEnd(node, text);
}

function listEnd(list: YAMLSeq, text: string): number {
  const item = list.items.at(-1);
  if (!isScalar(item) || !isEmpty(item)) return contentEnd(item, text);
  // An item without a value is nothing but its dash, which is the last one before the range of the empty value ends.
  return text.lastIndexOf("-", (item.range?.[0] ?? 0) - 1) + 1;
}

function isEmpty(node: Node): boolean {
  return isScalar(node) && node.range?.[0] === node.range?.[1] && (node as Scalar).type === "PLAIN";
}

function listEdits(list: YAMLSeq, target: readonly unknown[], context: Context): readonly TextEdit[] {
  const { text, style } = context;
  const items = list.items as readonly Node[];
  const dashes = items.map((item) => dashOf(item, text));
  const column = columnOf(text, dashes[0] ?? 0);
  if (dashes.some((dash) => columnOf(text, dash) !== column || text.slice(lineStart(text, dash), dash).trim() !== ""))
    throw new CannotEdit();
  const ends = items.map((item, index) =>
    lineBoundary(text, isScalar(item) && isEmpty(item) ? (dashes[index] ?? 0) + 1 : contentEnd(item, text)),
  );
  const starts = items.map((_, index) => (index === 0 ? lineStart(text, dashes[0] ?? 0) : (ends[index - 1] ?? 0)));
  const [start, end] = [starts[0] ?? 0, ends.at(-1) ?? 0];
  const chunks = matchItems(items.map(dataOf), target).map((source, index) => {
    const item = source === undefined ? undefined : items[source];
    if (source === undefined || item === undefined) return renderItem(target[index], column, style);
    const edits =
      attempt(() => valueEdits(item, target[index], context)) ??
      itemReplacement(item, target[index], dashes[source] ?? 0, context);
    return applyEdits(text, edits, starts[source], ends[source]);
  });
  return [{ start, end, text: chunks.join("") }];
}

function itemReplacement(item: Node, target: unknown, dash: number, context: Context): readonly TextEdit[] {
  if (isScalar(item) && !isRecord(target) && !Array.isArray(target))
    return replacement(item, target, { after: dash + 1, column: columnOf(context.text, dash) }, context);
  const end = lineBoundary(context.text, contentEnd(item, context.text));
  return [
    {
      start: lineStart(context.text, dash),
      end,
      text: renderItem(target, columnOf(context.text, dash), context.style),
    },
  ];
}

/** The dash of an item: the last one before its value with nothing but blanks and comments between. */
function dashOf(item: Node, text: string): number {
  const start =
    isMap(item) && item.flow !== true && item.items[0] ? keyOf(item.items[0]).start : (item.range?.[0] ?? 0);
  for (let dash = text.lastIndexOf("-", start - 1); dash !== -1; dash = text.lastIndexOf("-", dash - 1)) {
    const between = text.slice(dash + 1, start);
    const alone =
      /^[ \t]*(#[^\n]*)?(\r?\n[ \t]*(#[^\n]*)?)*[ \t]*$/.test(between) &&
      !/#/.test(text.slice(lineStart(text, dash), dash));
    if (alone) return dash;
  }
  throw new CannotEdit();
}
