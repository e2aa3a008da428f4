import { stringify } from "yaml";
import { unifiedHunks } from "../domain/text/line-diff.ts";
import { isRecord, jsonEqual } from "../resource/equality.ts";
import { keyText } from "../resource/object-meta.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import type { LoadedObject, StatedDocument } from "./load-file.ts";
import type { LoadedSource } from "./load-source.ts";
import { problemText } from "./problem.ts";
import type { Problem } from "./problem.ts";

/** One object's difference between two states of a source. `Moved`: only its file changed. */
export interface ObjectDifference {
  readonly key: ObjectKey;
  readonly change: "Created" | "Updated" | "Deleted" | "Moved" | "Unreadable";
  readonly before?: LoadedObject;
  readonly after?: LoadedObject;
}

export interface SourceDifference {
  /** By kind, namespace and name. */
  readonly objects: readonly ObjectDifference[];
  /** Errors of the second state. */
  readonly problems: readonly Problem[];
  /** 0 no difference, 1 differences, 2 something in the second state cannot be read. */
  readonly exitCode: 0 | 1 | 2;
}

/**
 * What applying `after` in place of `before` changes, by identity: a moved file is no difference that counts, and an
 * object whose document became unreadable is not deleted. Pure.
 */
export function compareSources(before: LoadedSource, after: LoadedSource): SourceDifference {
  const [old, next] = [byKey(before), byKey(after)];
  const errors = after.problems.filter((problem) => problem.severity === "Error");
  const unreadable = new Set(errors.flatMap((problem) => (problem.key === undefined ? [] : [keyText(problem.key)])));
  const unreadablePaths = new Set(errors.filter((problem) => problem.key === undefined).map((problem) => problem.path));
  const objects: ObjectDifference[] = [];
  for (const key of [...new Set([...old.keys(), ...next.keys()])].sort()) {
    const [from, to] = [old.get(key), next.get(key)];
    if (from !== undefined && to !== undefined) {
      const same = sameStatement(from.stated, to.stated);
      if (!same) objects.push({ key: to.key, change: "Updated", before: from, after: to });
      else if (from.origin.path !== to.origin.path)
        objects.push({ key: to.key, change: "Moved", before: from, after: to });
    } else if (to !== undefined) objects.push({ key: to.key, change: "Created", after: to });
    else if (from !== undefined) {
      const lost = unreadable.has(key) || unreadablePaths.has(from.origin.path);
      objects.push({ key: from.key, change: lost ? "Unreadable" : "Deleted", before: from });
    }
  }
  const differs = objects.some((object) => object.change !== "Moved" && object.change !== "Unreadable");
  return { objects, problems: errors, exitCode: errors.length > 0 ? 2 : differs ? 1 : 0 };
}

/** True when two documents ask for the same: order of keys, comments and empty labels do not matter. */
export function sameStatement(a: StatedDocument, b: StatedDocument): boolean {
  return jsonEqual(statement(a), statement(b));
}

function statement(document: StatedDocument): unknown {
  const { labels, annotations } = document.metadata;
  return { labels: labels ?? {}, annotations: annotations ?? {}, spec: document.spec ?? {} };
}

/** The differences as text for people: a unified diff of YAML per object, then what cannot be read. No colours. */
export function differenceText(difference: SourceDifference): string {
  const blocks = difference.objects.map(objectText);
  if (difference.problems.length > 0) blocks.push(difference.problems.map(problemText).join("\n"));
  return blocks.map((block) => `${block}\n`).join("");
}

function objectText({ key, change, before, after }: ObjectDifference): string {
  const name = keyText(key);
  if (change === "Moved") return `moved ${name}: ${before?.origin.path} → ${after?.origin.path}`;
  if (change === "Unreadable") return `unreadable ${name}: the version of ${before?.origin.path} stays in force`;
  const heads = [
    before === undefined ? "--- /dev/null" : `--- ${name}\t${before.origin.path}`,
    after === undefined ? "+++ /dev/null" : `+++ ${name}\t${after.origin.path}`,
  ];
  return [...heads, ...documentHunks(before?.stated, after?.stated)].join("\n");
}

/** Unified hunks between two documents as YAML; keys of the second are shown in the order of the first. */
export function documentHunks(before: unknown, after: unknown): readonly string[] {
  return unifiedHunks(yamlLines(before), yamlLines(inOrderOf(before, after)));
}

function yamlLines(value: unknown): readonly string[] {
  return value === undefined ? [] : stringify(value, { lineWidth: 0 }).trimEnd().split("\n");
}

function inOrderOf(model: unknown, value: unknown): unknown {
  if (Array.isArray(value))
    return value.map((item, index) => inOrderOf(Array.isArray(model) ? model[index] : undefined, item));
  if (!isRecord(value)) return value;
  const known = isRecord(model) ? Object.keys(model).filter((key) => Object.hasOwn(value, key)) : [];
  const keys = [...new Set([...known, ...Object.keys(value)])];
  return Object.fromEntries(keys.map((key) => [key, inOrderOf(isRecord(model) ? model[key] : undefined, value[key])]));
}

function byKey(source: LoadedSource): ReadonlyMap<string, LoadedObject> {
  return new Map(source.objects.map((object) => [keyText(object.key), object]));
}
