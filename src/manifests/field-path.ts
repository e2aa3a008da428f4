import { isRecord } from "../resource/equality.ts";

/** Where a value is in a document: `["spec", "items", 0, "title"]`. */
export type FieldPath = readonly (string | number)[];

/** `spec.items[0].title`; keys that are no plain words are quoted: `metadata.labels["a/b"]`. */
export function fieldText(path: FieldPath): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (!/^[A-Za-z_][-A-Za-z0-9_]*$/.test(part)) text += `["${part}"]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}

/** The value at a path of a JSON value; undefined where there is none. */
export function valueAt(value: unknown, path: FieldPath): unknown {
  let current = value;
  for (const part of path) {
    if (Array.isArray(current) && typeof part === "number") current = current[part];
    else if (isRecord(current) && typeof part === "string" && Object.hasOwn(current, part)) current = current[part];
    else return undefined;
  }
  return current;
}

/** Every string in a JSON value with its path, in document order. */
export function* stringsIn(
  value: unknown,
  path: FieldPath = [],
): Generator<{ readonly path: FieldPath; readonly text: string }> {
  if (typeof value === "string") yield { path, text: value };
  else if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* stringsIn(item, [...path, index]);
  else if (isRecord(value)) for (const [key, item] of Object.entries(value)) yield* stringsIn(item, [...path, key]);
}

/** A copy of a JSON value with every string replaced by what `replace` gives for it. */
export function mapStrings(
  value: unknown,
  replace: (text: string, path: FieldPath) => unknown,
  path: FieldPath = [],
): unknown {
  if (typeof value === "string") return replace(value, path);
  if (Array.isArray(value)) return value.map((item, index) => mapStrings(item, replace, [...path, index]));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, mapStrings(item, replace, [...path, key])]),
  );
}
