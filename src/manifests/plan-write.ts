import { ApiStatusError, messageOf } from "../errors/town-error.ts";
import type { TruthWrite } from "../ports/object-store.ts";
import { isRecord, jsonEqual } from "../resource/equality.ts";
import type { KindDefinition } from "../resource/kind-definition.ts";
import { keyText } from "../resource/object-meta.ts";
import type { ObjectKey, TownObject } from "../resource/object-meta.ts";
import { documentIn, removeDocument, replaceDocument } from "./file-document.ts";
import type { LoadContext, StatedDocument } from "./load-file.ts";
import { loadFile } from "./load-file.ts";
import { substituteLocals } from "./local-values.ts";
import { pathForNew } from "./manifest-layout.ts";
import { placeText, problemText } from "./problem.ts";
import { inputSchema } from "./schema-fields.ts";
import type { SourceDraft } from "./source-draft.ts";
import { specWithDefaults } from "./spec-check.ts";
import { StatedConflict, changedStatement, withoutDefaults } from "./stated-change.ts";
import { patchYaml } from "./yaml-patch.ts";
import { renderDocument } from "./yaml-render.ts";

export interface WriteContext extends LoadContext {
  /** Directory of the manifests. */
  readonly directory: string;
}

/** One file as a write leaves it; `text` null: the file goes. Undefined where nothing changes. */
export interface PlannedFile {
  readonly path: string;
  readonly text: string | null;
  readonly isDeclared: boolean;
}

/**
 * What a write of the API does to the files of a draft. Reads, changes nothing. Throws ApiStatusError: 409 where the
 * document is not what the write was made from, 422 where the result could not be read back.
 */
export async function planWrite(
  change: TruthWrite,
  draft: SourceDraft,
  context: WriteContext,
): Promise<PlannedFile | undefined> {
  const { key, before, after } = change;
  const definition = definitionOf(key, context);
  const problem = draft.problemOf(key);
  if (problem !== undefined) {
    throw conflict(
      key,
      `its document cannot be changed: ${placeText(problem)}: ${problem.message}`,
      "Put that right in the file and commit it; the last good version is in force until then.",
    );
  }
  const path = draft.pathOf(key);
  if (before === undefined && after !== undefined) return planCreate(change, draft, context, definition);
  if (path === undefined) throw conflict(key, "its document is not in git any more", "Reload it: a sync is under way.");
  const file = (await draft.textOf(path)) ?? "";
  if (after === undefined) return { path, text: removeDocument(file, key, context.kinds) ?? null, isDeclared: false };
  const document = documentIn(file, key, context.kinds);
  if (document === undefined)
    throw conflict(key, `its document is not in ${path} any more`, "Reload it: a sync is under way.");
  const target = exactTarget(change, targetOf(change, document.value, definition), document.value, definition, context);
  if (jsonEqual(target, document.value)) return undefined;
  const text = replaceDocument(
    file,
    key,
    context.kinds,
    patchYaml(document.text, target as unknown as Readonly<Record<string, unknown>>),
  );
  requireReadable(path, text, key, context, expectedSpec(target, definition, context));
  return { path, text, isDeclared: true };
}

async function planCreate(
  change: TruthWrite,
  draft: SourceDraft,
  context: WriteContext,
  definition: KindDefinition,
): Promise<PlannedFile> {
  const { key, after, stated } = change;
  const taken = draft.pathOf(key);
  if (taken !== undefined)
    throw new ApiStatusError(
      409,
      "AlreadyExists",
      `${definition.plural}.${definition.group} "${key.name}" already exists: ${taken} declares it`,
      { details: detailsOf(key, definition) },
    );
  const document = newDocument(key, after, definition, stated);
  const path = await freePath(key, definition, draft, context);
  const text = renderDocument(document);
  requireReadable(path, text, key, context, expectedSpec(document, definition, context));
  return { path, text, isDeclared: true };
}

/** A new object's document: as its author wrote it, or what the object has beyond the defaults. */
export function newDocument(
  key: ObjectKey,
  after: TownObject | undefined,
  definition: KindDefinition,
  stated?: TruthWrite["stated"],
): StatedDocument {
  const sent = stated?.["metadata"];
  const metadata = (isRecord(sent) ? sent : (after?.metadata ?? {})) as Readonly<Record<string, unknown>>;
  const spec = isRecord(stated?.["spec"])
    ? stated["spec"]
    : withoutDefaults(after?.spec ?? {}, [inputSchema(definition.spec)]);
  return {
    apiVersion: `${definition.group}/${definition.version}`,
    kind: key.kind,
    metadata: {
      name: key.name,
      ...(key.namespace === undefined ? {} : { namespace: key.namespace }),
      ...filled("labels", metadata),
      ...filled("annotations", metadata),
    },
    spec: spec as Readonly<Record<string, unknown>>,
  };
}

async function freePath(
  key: ObjectKey,
  definition: KindDefinition,
  draft: SourceDraft,
  { directory }: WriteContext,
): Promise<string> {
  const wanted = pathForNew(key, definition, directory, draft.declared);
  const usual = pathForNew(key, definition, directory, []);
  const numbered = Array.from({ length: 20 }, (_, index) => usual.replace(/\.yaml$/, `-${index + 2}.yaml`));
  for (const path of [wanted, usual, ...numbered]) if ((await draft.textOf(path)) === undefined) return path;
  throw conflict(
    key,
    `no file name is free for it: ${usual} and its like exist`,
    "Write the document to a file of your choice and commit it.",
  );
}

function targetOf(
  { key, before, after, stated }: TruthWrite,
  document: StatedDocument,
  definition: KindDefinition,
): StatedDocument {
  const schema = inputSchema(definition.spec);
  const sent = isRecord(stated) ? stated : {};
  try {
    const spec = changedStatement(
      { document: document.spec ?? {}, before: before?.spec, after: after?.spec, stated: sent["spec"] },
      schema,
    );
    const labels = changedTexts("labels", document, before, after);
    const annotations = changedTexts("annotations", document, before, after);
    const { labels: _labels, annotations: _annotations, ...identity } = document.metadata;
    const metadata = { ...identity, ...filled("labels", { labels }), ...filled("annotations", { annotations }) };
    const hasSpec = document.spec !== undefined || Object.keys(spec as object).length > 0;
    return { ...document, metadata, ...(hasSpec ? { spec: spec as Readonly<Record<string, unknown>> } : {}) };
  } catch (error) {
    if (!(error instanceof StatedConflict)) throw error;
    throw conflict(key, messageOf(error), "Reload it and make the change again.");
  }
}

/**
 * Where the document says just what the live object was made from, the result must make just the object that is wanted;
 * if leaving out defaults got in the way of that, the whole spec is stated.
 */
function exactTarget(
  { before, after, stated }: TruthWrite,
  target: StatedDocument,
  document: StatedDocument,
  definition: KindDefinition,
  context: LoadContext,
): StatedDocument {
  const makes = (one: StatedDocument, spec: unknown): boolean =>
    jsonEqual(expectedSpec(one, definition, context), spec);
  if (!makes(document, before?.spec) || makes(target, after?.spec)) return target;
  const lean = withoutDefaults(after?.spec ?? {}, [inputSchema(definition.spec)]);
  const specs = [stated?.["spec"], lean, after?.spec].filter(isRecord).map((spec) => ({ ...target, spec }));
  return specs.find((one) => makes(one, after?.spec)) ?? target;
}

function changedTexts(
  field: "labels" | "annotations",
  document: StatedDocument,
  before: TownObject | undefined,
  after: TownObject | undefined,
): unknown {
  const own = document.metadata[field] ?? {};
  return changedStatement(
    { document: own, before: before?.metadata[field] ?? {}, after: after?.metadata[field] ?? {}, stated: undefined },
    {},
    ["metadata", field],
  );
}

function filled(
  field: "labels" | "annotations",
  metadata: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const value = metadata[field];
  return isRecord(value) && Object.keys(value).length > 0 ? { [field]: value } : {};
}

function expectedSpec(
  document: StatedDocument,
  definition: KindDefinition,
  { locals }: LoadContext,
): Readonly<Record<string, unknown>> | undefined {
  return specWithDefaults(definition, substituteLocals(document.spec ?? {}, locals).value);
}

/** The last look before anything is written: the file declares the object, and with the spec that is meant. */
function requireReadable(
  path: string,
  text: string,
  key: ObjectKey,
  context: WriteContext,
  spec: Readonly<Record<string, unknown>> | undefined,
): void {
  const { objects, problems } = loadFile(path, text, context);
  const object = objects.find((each) => keyText(each.key) === keyText(key));
  if (object !== undefined && jsonEqual(object.spec, spec)) return;
  const own = problems.filter((problem) => problem.key === undefined || keyText(problem.key) === keyText(key));
  const definition = definitionOf(key, context);
  throw new ApiStatusError(
    422,
    "Invalid",
    `${definition.kind}.${definition.group} "${key.name}" is invalid: ${own.map(problemText).join("; ") || "the changed document does not read back as it was meant"}`,
    {
      details: detailsOf(key, definition),
      causes: own.map((problem) => ({ reason: "FieldValueInvalid", message: problem.message })),
    },
  );
}

function definitionOf(key: ObjectKey, { kinds }: LoadContext): KindDefinition {
  const definition = kinds.find((each) => each.kind === key.kind);
  if (definition === undefined) throw new ApiStatusError(404, "NotFound", `kind ${key.kind} is not known`);
  return definition;
}

function detailsOf(key: ObjectKey, definition: KindDefinition): Readonly<Record<string, unknown>> {
  return { name: key.name, group: definition.group, kind: definition.plural };
}

/** 409 on an object: it is not, or its files are not, what the write was made from. */
export function conflict(key: ObjectKey, why: string, hint: string): ApiStatusError {
  return new ApiStatusError(409, "Conflict", `${keyText(key)} was not changed: ${why}`, {
    hint,
    details: { name: key.name, kind: key.kind },
  });
}
