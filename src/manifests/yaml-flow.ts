import { isMap, isScalar, isSeq, parseDocument } from "yaml";
import type { Document, Pair, YAMLMap, YAMLSeq } from "yaml";
import { isRecord, jsonEqual } from "../resource/equality.ts";
import { matchItems } from "./item-matching.ts";
import type { TextEdit } from "./text-edits.ts";
import { PARSE_OPTIONS } from "./yaml-document.ts";
import { columnOf, renderFlowScalar } from "./yaml-render.ts";

type Data = Readonly<Record<string, unknown>>;

/** Edits in `{…}` or `[…]`: scalars in place, anything else by writing the innermost collection anew in the same style. */
export function flowEdits(text: string, node: YAMLMap | YAMLSeq, target: unknown): readonly TextEdit[] {
  const parts = isMap(node) ? sameKeys(node, target) : sameLength(node, target);
  if (parts === undefined) return [rewrittenFlow(text, node, target)];
  const edits = parts.flatMap(([value, wanted]) => partEdits(text, node, value, wanted, target));
  return edits.filter((edit, index) => !edits.some((other, at) => at !== index && covers(other, edit, at < index)));
}

/** True when `other` replaces all that `edit` does; of two for the same place the earlier one counts. */
function covers(other: TextEdit, edit: TextEdit, isEarlier: boolean): boolean {
  const isSame = other.start === edit.start && other.end === edit.end;
  return isSame ? isEarlier : other.start <= edit.start && edit.end <= other.end;
}

function partEdits(
  text: string,
  whole: YAMLMap | YAMLSeq,
  value: unknown,
  wanted: unknown,
  target: unknown,
): readonly TextEdit[] {
  if (jsonEqual(dataOf(value), wanted)) return [];
  if ((isMap(value) && isRecord(wanted)) || (isSeq(value) && Array.isArray(wanted)))
    return flowEdits(text, value, wanted);
  const range = isScalar(value) && value.range?.[0] !== value.range?.[1] ? value.range : undefined;
  const isPlain = typeof wanted !== "object" || wanted === null;
  if (!isScalar(value) || !range || !isPlain) return [rewrittenFlow(text, whole, target)];
  return [{ start: range[0], end: range[1], text: renderFlowScalar(wanted, value) }];
}

function sameKeys(map: YAMLMap, target: unknown): readonly (readonly [unknown, unknown])[] | undefined {
  if (!isRecord(target) || Object.keys(target).length !== map.items.length) return undefined;
  const parts: (readonly [unknown, unknown])[] = [];
  for (const pair of map.items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : "";
    if (!Object.hasOwn(target, key)) return undefined;
    parts.push([pair.value, target[key]]);
  }
  return parts;
}

function sameLength(list: YAMLSeq, target: unknown): readonly (readonly [unknown, unknown])[] | undefined {
  if (!Array.isArray(target) || target.length !== list.items.length) return undefined;
  return list.items.map((item, index) => [item, target[index] as unknown]);
}

function rewrittenFlow(text: string, node: YAMLMap | YAMLSeq, target: unknown): TextEdit {
  const [start, end] = [node.range?.[0] ?? 0, node.range?.[1] ?? 0];
  const source = text.slice(start, end);
  const document = parseDocument(source, PARSE_OPTIONS);
  document.contents = mutated(document, document.contents, target, true) as typeof document.contents;
  const oneLine = !source.includes("\n");
  const written = document
    .toString({ lineWidth: oneLine ? 0 : 80, flowCollectionPadding: /^[[{] /.test(source) })
    .trimEnd();
  const indent = " ".repeat(columnOf(text, start));
  return {
    start,
    end,
    text: written
      .split("\n")
      .map((line, index) => (index === 0 ? line : indent + line))
      .join("\n"),
  };
}

/** A whole document written by the YAML library after changing its tree: comments stay, the layout may not. */
export function mutatedText(text: string, target: Data): string {
  const document = parseDocument(text, PARSE_OPTIONS);
  document.contents = mutated(document, document.contents, target, false) as typeof document.contents;
  return document.toString({ lineWidth: 0 });
}

/** The node changed to say `target`, in place as far as its form allows. */
function mutated(document: Document, node: unknown, target: unknown, flow: boolean): unknown {
  if (isMap(node) && isRecord(target)) return mutatedMap(document, node, target, flow);
  if (isSeq(node) && Array.isArray(target)) {
    const items = node.items;
    node.items = matchItems(items.map(dataOf), target).map((source, index) =>
      mutated(document, source === undefined ? undefined : items[source], target[index], flow),
    );
    return node;
  }
  if (isScalar(node) && (typeof target !== "object" || target === null)) {
    if (node.value !== target) {
      node.value = target;
      delete node.source;
    }
    return node;
  }
  return document.createNode(target, { flow });
}

function mutatedMap(document: Document, map: YAMLMap, target: Data, flow: boolean): YAMLMap {
  const nameOf = (pair: Pair): string => (isScalar(pair.key) ? String(pair.key.value) : "");
  map.items = map.items.filter((pair) => Object.hasOwn(target, nameOf(pair)));
  for (const pair of map.items) pair.value = mutated(document, pair.value, target[nameOf(pair)], flow);
  const present = new Set(map.items.map(nameOf));
  for (const [key, value] of Object.entries(target)) {
    if (!present.has(key) && value !== undefined)
      map.items.push(document.createPair(key, document.createNode(value, { flow })));
  }
  return map;
}

/** The JSON value of a node of a document without aliases. */
export function dataOf(node: unknown): unknown {
  if (isScalar(node)) return node.value;
  if (isSeq(node)) return node.items.map(dataOf);
  if (isMap(node))
    return Object.fromEntries(
      node.items.map((pair) => [isScalar(pair.key) ? String(pair.key.value) : "", dataOf(pair.value)]),
    );
  return null;
}
