import { isRecord } from "../resource/equality.ts";
import type { InputMeta, OwnerReference } from "../resource/object-meta.ts";
import type { JsonObject } from "./request-body.ts";
import { badRequest } from "./status.ts";

/** Metadata of a body after a check of its types. Nulls count as absent, `creationTimestamp: null` first of all. */
export function readMetadata(body: JsonObject): InputMeta {
  const metadata = body["metadata"] ?? {};
  if (!isRecord(metadata)) throw wrongType("metadata", "an object");
  const result: Record<string, unknown> = {};
  for (const field of ["name", "namespace", "generateName", "uid", "resourceVersion"])
    put(result, field, textField(metadata, field));
  put(result, "labels", textMap(metadata, "labels"));
  put(result, "annotations", textMap(metadata, "annotations"));
  put(result, "finalizers", textList(metadata, "finalizers"));
  put(result, "ownerReferences", owners(metadata));
  return result;
}

function put(target: Record<string, unknown>, field: string, value: unknown): void {
  if (value !== undefined && value !== "") target[field] = value;
}

function textField(metadata: JsonObject, field: string): string | undefined {
  const value = metadata[field] ?? undefined;
  if (value !== undefined && typeof value !== "string") throw wrongType(`metadata.${field}`, "a string");
  return value;
}

function textMap(metadata: JsonObject, field: string): Readonly<Record<string, string>> | undefined {
  const value = metadata[field] ?? undefined;
  if (value === undefined) return undefined;
  if (!isRecord(value)) throw wrongType(`metadata.${field}`, "a map of strings");
  const entries = Object.entries(value).filter(([, text]) => text !== null);
  const wrong = entries.find(([, text]) => typeof text !== "string");
  if (wrong !== undefined) throw wrongType(`metadata.${field}.${wrong[0]}`, "a string");
  return Object.fromEntries(entries) as Record<string, string>;
}

function textList(metadata: JsonObject, field: string): readonly string[] | undefined {
  const value = metadata[field] ?? undefined;
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.some((item) => typeof item !== "string"))
    throw wrongType(`metadata.${field}`, "a list of strings");
  return [...new Set(value as string[])];
}

function owners(metadata: JsonObject): readonly OwnerReference[] | undefined {
  const value = metadata["ownerReferences"] ?? undefined;
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw wrongType("metadata.ownerReferences", "a list of objects");
  return value.map((item: unknown, index) => owner(item, `metadata.ownerReferences[${index}]`));
}

function owner(value: unknown, at: string): OwnerReference {
  if (!isRecord(value)) throw wrongType(at, "an object");
  for (const field of ["apiVersion", "kind", "name", "uid"]) {
    if (typeof value[field] !== "string" || value[field] === "")
      throw wrongType(`${at}.${field}`, "a string that is not empty");
  }
  for (const field of ["controller", "blockOwnerDeletion"]) {
    if (value[field] !== undefined && value[field] !== null && typeof value[field] !== "boolean")
      throw wrongType(`${at}.${field}`, "a boolean");
  }
  const { apiVersion, kind, name, uid, controller, blockOwnerDeletion } = value;
  return {
    apiVersion: apiVersion as string,
    kind: kind as string,
    name: name as string,
    uid: uid as string,
    ...(typeof controller === "boolean" ? { controller } : {}),
    ...(typeof blockOwnerDeletion === "boolean" ? { blockOwnerDeletion } : {}),
  };
}

function wrongType(field: string, wanted: string) {
  return badRequest(`the object provided cannot be read: ${field} must be ${wanted}`);
}
