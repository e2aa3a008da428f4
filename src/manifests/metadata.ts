import type { KindDefinition } from "../resource/kind-definition.ts";
import { isHeldAnnotation } from "../resource/held-annotation.ts";
import { isRecord } from "../resource/equality.ts";
import { TOWN_NAMESPACE } from "../resource/object-meta.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import { labelKeyRefusal, labelValueRefusal, nameRefusal, namespaceRefusal } from "./object-name.ts";
import type { DocumentReport } from "./document-report.ts";
import { fieldText } from "./field-path.ts";
import { didYouMean } from "../domain/text/suggestion.ts";

/** Annotation that keeps an object when its document disappears. */
export const PRUNE_ANNOTATION = "town.dev/prune";
const META_FIELDS = ["name", "namespace", "labels", "annotations"];
/** Metadata that the server keeps (design: server bookkeeping never enters the files). */
const SERVER_META_FIELDS: ReadonlySet<string> = new Set(
  "uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds finalizers ownerReferences managedFields selfLink generateName".split(
    " ",
  ),
);

interface Metadata {
  /** Undefined when the name or namespace is no text at all. */
  readonly key: ObjectKey | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Checks the `metadata` of a document: nothing unknown, nothing that the server keeps, names and labels in form. */
export function readMetadata(
  metadata: Readonly<Record<string, unknown>>,
  definition: KindDefinition,
  report: DocumentReport,
): Metadata {
  checkMetaFields(metadata, report);
  const key = readKey(metadata, definition, report);
  const labels = readTexts(metadata, "labels", report);
  const annotations = readTexts(metadata, "annotations", report);
  checkAnnotations(annotations, report);
  return { key, labels, annotations };
}

function checkMetaFields(metadata: Readonly<Record<string, unknown>>, report: DocumentReport): void {
  for (const field of Object.keys(metadata)) {
    if (META_FIELDS.includes(field)) continue;
    const path = ["metadata", field];
    if (SERVER_META_FIELDS.has(field))
      report.add(path, {
        at: "Key",
        reason: "ServerFieldInFile",
        message: `\`${fieldText(path)}\` must not be in a file: the server keeps it`,
        hint: "Remove it; `town export` writes objects without such fields.",
      });
    else
      report.add(path, {
        at: "Key",
        reason: "FieldUnknown",
        message: `\`${fieldText(path)}\` is not a field of metadata`,
        hint: didYouMean(field, META_FIELDS) ?? `Known fields here: ${META_FIELDS.join(", ")}.`,
      });
  }
}

function readKey(
  metadata: Readonly<Record<string, unknown>>,
  definition: KindDefinition,
  report: DocumentReport,
): ObjectKey | undefined {
  const { name, namespace } = metadata;
  if (typeof name !== "string") {
    report.add(["metadata", "name"], {
      reason: "FieldMissing",
      message: "`metadata.name` must be set to text",
      hint: quoted(name) ?? "Add it.",
    });
    return undefined;
  }
  const refusal = nameRefusal(definition.kind, name);
  if (refusal !== undefined)
    report.add(["metadata", "name"], {
      reason: "NameInvalid",
      message: `\`metadata.name\` '${name}' ${refusal}`,
      hint: "Choose another name.",
    });
  if (definition.scope === "Cluster") {
    if (namespace !== undefined)
      report.add(["metadata", "namespace"], {
        at: "Key",
        reason: "NamespaceNotAllowed",
        message: `\`metadata.namespace\` must not be set: ${definition.kind} belongs to no namespace`,
        hint: "Remove it.",
      });
    return { kind: definition.kind, name };
  }
  if (namespace === undefined) return { kind: definition.kind, namespace: TOWN_NAMESPACE, name };
  if (typeof namespace !== "string") {
    report.add(["metadata", "namespace"], {
      reason: "NamespaceInvalid",
      message: "`metadata.namespace` must be text",
      hint: `Name a Rig, or remove it for '${TOWN_NAMESPACE}'.`,
    });
    return undefined;
  }
  const wrong = namespaceRefusal(namespace);
  if (wrong !== undefined)
    report.add(["metadata", "namespace"], {
      reason: "NamespaceInvalid",
      message: `\`metadata.namespace\` '${namespace}' ${wrong}`,
      hint: `Name a Rig, or remove it for '${TOWN_NAMESPACE}'.`,
    });
  return { kind: definition.kind, namespace, name };
}

function readTexts(
  metadata: Readonly<Record<string, unknown>>,
  field: "labels" | "annotations",
  report: DocumentReport,
): Readonly<Record<string, string>> {
  const value = metadata[field];
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) {
    report.add(["metadata", field], {
      reason: "FieldInvalid",
      message: `\`metadata.${field}\` must be a mapping of text to text`,
    });
    return {};
  }
  const texts: Record<string, string> = {};
  for (const [name, text] of Object.entries(value)) {
    const path = ["metadata", field, name];
    const wrongKey = labelKeyRefusal(name);
    if (wrongKey !== undefined)
      report.add(path, {
        at: "Key",
        reason: "LabelInvalid",
        message: `the key '${name}' in \`metadata.${field}\` ${wrongKey}`,
      });
    if (typeof text !== "string") {
      report.add(path, {
        reason: "FieldInvalid",
        message: `\`${fieldText(path)}\` must be text`,
        hint: quoted(text) ?? "Write a quoted text.",
      });
      continue;
    }
    const wrongValue = field === "labels" ? labelValueRefusal(text) : undefined;
    if (wrongValue !== undefined)
      report.add(path, {
        reason: "LabelInvalid",
        message: `\`${fieldText(path)}\` ${wrongValue}`,
        hint: "Use an annotation for free text.",
      });
    texts[name] = text;
  }
  return texts;
}

function checkAnnotations(annotations: Readonly<Record<string, string>>, report: DocumentReport): void {
  for (const [name, text] of Object.entries(annotations)) {
    const path = ["metadata", "annotations", name];
    if (isHeldAnnotation(name)) {
      report.add(path, {
        at: "Key",
        reason: "ServerFieldInFile",
        message: `the annotation '${name}' must not be in a file: the server keeps it`,
        hint: "Remove it.",
      });
    } else if (name === PRUNE_ANNOTATION && text !== "disabled") {
      report.add(path, {
        reason: "FieldInvalid",
        message: `\`${fieldText(path)}\` must be 'disabled'`,
        hint: "Write `disabled` to keep the object when its document goes, or remove the annotation.",
      });
    }
  }
}

function quoted(value: unknown): string | undefined {
  return typeof value === "number" || typeof value === "boolean" ? `Quote it: "${value}".` : undefined;
}
