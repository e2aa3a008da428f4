import { isRecord, jsonEqual } from "../resource/equality.ts";
import { fieldText } from "./field-path.ts";
import type { FieldPath } from "./field-path.ts";
import { matchItems } from "./item-matching.ts";
import { schemasAt } from "./schema-fields.ts";

type JsonSchema = Readonly<Record<string, unknown>>;

/** A value in its four forms: as the document states it, live before and after with defaults, and as its author sent it. */
interface Forms {
  readonly document: unknown;
  readonly before: unknown;
  readonly after: unknown;
  /** Undefined also where the author sent nothing: then a default is not written. */
  readonly stated: unknown;
}

/** The document says something else than the live object did, at a field that is to change. */
export class StatedConflict extends Error {
  readonly field: string;

  constructor(path: FieldPath) {
    super(`\`${fieldText(path)}\` was changed in git meanwhile`);
    this.field = fieldText(path);
  }
}

/**
 * What a document must state so that the object it declares changes as the live one does from `before` to `after`.
 * Fields that do not change keep the form they have in the document; a field that gets its default is left out, unless
 * its author states it. Throws StatedConflict where the document was changed under the author's hands. Pure.
 */
export function changedStatement(forms: Forms, schema: JsonSchema, path: FieldPath = ["spec"]): unknown {
  const { document, before, after, stated } = forms;
  if (jsonEqual(before, after)) return document;
  if (after === undefined) return undefined;
  if (isRecord(after) && isRecord(before ?? {}) && isRecord(document ?? {})) return changedMapping(forms, schema, path);
  if (isSameList(before, document) && Array.isArray(after)) return changedList(forms, after, schema, path);
  if (document !== undefined && !jsonEqual(document, before) && !isReference(document)) throw new StatedConflict(path);
  return stated ?? withoutDefaults(after, [schema]);
}

/** Lists of one length: the document's items are those of the live object. */
function isSameList(before: unknown, document: unknown): boolean {
  return Array.isArray(before) && Array.isArray(document) && document.length === before.length;
}

function changedList(forms: Forms, after: readonly unknown[], schema: JsonSchema, path: FieldPath): readonly unknown[] {
  const [document, before] = [forms.document, forms.before] as readonly (readonly unknown[])[];
  const schemas = schemasAt(schema, [0]);
  return matchItems(before ?? [], after).map((source, index) => {
    const item = after[index];
    const stated = statedItem(forms.stated, item, index);
    if (source === undefined) return stated ?? withoutDefaults(item, schemas);
    return changedStatement(
      { document: document?.[source], before: before?.[source], after: item, stated },
      first(schemas),
      [...path, index],
    );
  });
}

function changedMapping({ document, before, after, stated }: Forms, schema: JsonSchema, path: FieldPath): unknown {
  const [own, old, next] = [record(document), record(before), record(after)];
  const result: Record<string, unknown> = { ...own };
  for (const key of new Set([...Object.keys(old), ...Object.keys(next)])) {
    const schemas = schemasAt(schema, [key]);
    const sent = record(stated)[key];
    const forms = { document: own[key], before: old[key], after: next[key], stated: sent };
    if (jsonEqual(forms.before, forms.after)) continue;
    const value = changedStatement(forms, first(schemas), [...path, key]);
    if (value === undefined || (sent === undefined && isDefault(value, schemas))) delete result[key];
    else result[key] = value;
  }
  return result;
}

/** A value without the fields that only repeat a default of the schema. */
export function withoutDefaults(value: unknown, schemas: readonly JsonSchema[]): unknown {
  if (Array.isArray(value))
    return value.map((item: unknown, index) =>
      withoutDefaults(
        item,
        schemas.flatMap((schema) => schemasAt(schema, [index])),
      ),
    );
  if (!isRecord(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const below = schemas.flatMap((schema) => schemasAt(schema, [key]));
    const kept = withoutDefaults(item, below);
    if (!isDefault(kept, below)) result[key] = kept;
  }
  return result;
}

function isDefault(value: unknown, schemas: readonly JsonSchema[]): boolean {
  return schemas.some((schema) => Object.hasOwn(schema, "default") && jsonEqual(withoutDefaultsOf(schema), value));
}

/** A default may itself repeat defaults of its fields (`merge: {}` and `merge: {tries: 5}` are the same). */
function withoutDefaultsOf(schema: JsonSchema): unknown {
  const { default: value, ...rest } = schema;
  return withoutDefaults(value, [rest]);
}

function statedItem(stated: unknown, item: unknown, index: number): unknown {
  if (!Array.isArray(stated)) return undefined;
  const name = isRecord(item) ? item["name"] : undefined;
  return name === undefined
    ? (stated[index] as unknown)
    : (stated as readonly unknown[]).find((each) => isRecord(each) && each["name"] === name);
}

function isReference(value: unknown): boolean {
  return typeof value === "string" && value.includes("${local:");
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

function first(schemas: readonly JsonSchema[]): JsonSchema {
  return schemas[0] ?? {};
}
