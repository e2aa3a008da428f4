import { apiVersionOf } from "../resource/kind-registry.ts";
import { isRecord } from "../resource/equality.ts";
import type { KindDefinition } from "../resource/kind-definition.ts";
import { TOWN_NAMESPACE } from "../resource/object-meta.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import type { DocumentReport } from "./document-report.ts";
import { fieldText } from "./field-path.ts";
import { readMetadata } from "./metadata.ts";
import { didYouMean } from "../domain/text/suggestion.ts";

const TOP_FIELDS = ["apiVersion", "kind", "metadata", "spec"];

interface Envelope {
  readonly definition: KindDefinition;
  readonly key: ObjectKey;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

type Kinds = ReadonlyMap<string, KindDefinition>;

/** Everything about a document but its spec. Undefined when it is not an object that files may declare. */
export function readEnvelope(
  value: Readonly<Record<string, unknown>>,
  kinds: Kinds,
  report: DocumentReport,
): Envelope | undefined {
  const definition = readKind(value, kinds, report);
  if (definition === undefined) return undefined;
  const metadata = value["metadata"];
  report.key = keyIn(value, definition);
  checkTopFields(value, definition, report);
  if (!isRecord(metadata)) {
    report.add(["metadata"], {
      reason: "FieldMissing",
      message: "`metadata` must be a mapping with `name`",
      hint: "Add `metadata: {name: …}`.",
    });
    return undefined;
  }
  const { key, labels, annotations } = readMetadata(metadata, definition, report);
  return key === undefined ? undefined : { definition, key, labels, annotations };
}

/** The key that a document seems to declare, however wrong the rest of it is. */
export function keyIn(value: unknown, definition: KindDefinition | undefined): ObjectKey | undefined {
  if (!isRecord(value) || definition === undefined || !isRecord(value["metadata"])) return undefined;
  const { name, namespace } = value["metadata"];
  if (typeof name !== "string" || name === "") return undefined;
  if (definition.scope === "Cluster") return { kind: definition.kind, name };
  return {
    kind: definition.kind,
    namespace: typeof namespace === "string" && namespace !== "" ? namespace : TOWN_NAMESPACE,
    name,
  };
}

function readKind(
  value: Readonly<Record<string, unknown>>,
  kinds: Kinds,
  report: DocumentReport,
): KindDefinition | undefined {
  const kind = value["kind"];
  const declarable = [...kinds.values()].filter((each) => each.truth === "Desired").map((each) => each.kind);
  if (typeof kind !== "string" || kind === "") {
    report.add(["kind"], {
      reason: "KindMissing",
      message: "`kind` must be set",
      hint: `Use one of ${declarable.join(", ")}.`,
    });
    return undefined;
  }
  const definition = kinds.get(kind);
  if (definition === undefined) {
    const hint =
      kind === "List"
        ? "Write each item as a document of its own, separated by `---`."
        : (didYouMean(kind, declarable) ?? `Use one of ${declarable.join(", ")}.`);
    report.add(["kind"], { reason: "KindUnknown", message: `\`kind\` '${kind}' is not known`, hint });
    return undefined;
  }
  if (definition.truth !== "Desired") {
    const where = definition.truth === "Work" ? "in the work graph" : "computed from what is running";
    report.add(["kind"], {
      reason: "KindNotDeclarable",
      message: `\`kind\` ${kind} must not be declared in a file: its truth is ${where}`,
      hint: "Remove the document.",
    });
    return undefined;
  }
  const expected = apiVersionOf(definition);
  if (value["apiVersion"] !== expected) {
    report.add(["apiVersion"], {
      reason: "ApiVersionInvalid",
      message: `\`apiVersion\` must be '${expected}' for ${kind}`,
      hint: `Write \`apiVersion: ${expected}\`.`,
    });
  }
  return definition;
}

function checkTopFields(
  value: Readonly<Record<string, unknown>>,
  definition: KindDefinition,
  report: DocumentReport,
): void {
  for (const field of Object.keys(value)) {
    if (TOP_FIELDS.includes(field)) continue;
    if (field === "status")
      report.add([field], {
        at: "Key",
        reason: "ServerFieldInFile",
        message: "`status` must not be in a file: the server keeps it",
        hint: "Remove it.",
      });
    else
      report.add([field], {
        at: "Key",
        reason: "FieldUnknown",
        message: `\`${fieldText([field])}\` is not a field of ${definition.kind}`,
        hint: didYouMean(field, TOP_FIELDS) ?? "Fields of the kind belong in `spec`.",
      });
  }
}
