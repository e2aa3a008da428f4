import { isRecord } from "../resource/equality.ts";
import type { KindDefinition } from "../resource/kind-definition.ts";
import { TOWN_NAMESPACE } from "../resource/object-meta.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import { DocumentReport } from "./document-report.ts";
import { splitDocuments } from "./document-text.ts";
import type { DocumentText } from "./document-text.ts";
import { keyIn, readEnvelope } from "./envelope.ts";
import { fieldText, stringsIn, valueAt } from "./field-path.ts";
import { substituteLocals } from "./local-values.ts";
import type { LocalValue } from "./local-values.ts";
import type { Problem } from "./problem.ts";
import { secretIn, secretInVariable } from "./secret-text.ts";
import { checkSpec } from "./spec-check.ts";
import { parseYaml } from "./yaml-document.ts";

/** Largest manifest file, in characters. */
export const MAX_FILE_SIZE = 1024 * 1024;

/** What files are read against. */
export interface LoadContext {
  readonly kinds: readonly KindDefinition[];
  /** Values for `${local:NAME}`. */
  readonly locals: ReadonlyMap<string, LocalValue>;
}

/** A document as a file states it: no defaults, `${local:…}` not replaced. Good for the inventory and for patches. */
export interface StatedDocument {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** One object that a file declares. */
export interface LoadedObject {
  readonly key: ObjectKey;
  readonly apiVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** With defaults, host facts filled in. */
  readonly spec: Readonly<Record<string, unknown>>;
  readonly stated: StatedDocument;
  readonly origin: { readonly path: string; readonly line: number };
  /** Place of a field of the document (or of the nearest part around it), for later checks. */
  readonly placeOf: (path: readonly (string | number)[]) => { readonly line: number; readonly column: number };
}

export interface LoadedFile {
  readonly path: string;
  readonly objects: readonly LoadedObject[];
  readonly problems: readonly Problem[];
}

/** A file of a source. `content` tells it from other contents at the path: a blob id, or the text itself. */
export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly content: string;
  /** Not called when it is `known`, or the cache knows the content. */
  readonly text: () => string;
  /** As the cache found it when it was asked which texts are needed. */
  readonly known?: LoadedFile | undefined;
}

/** Reads one file. Pure; never throws. A document that is wrong does not stop the others. */
export function loadFile(path: string, text: string, context: LoadContext): LoadedFile {
  const refused = unreadableFile(path, text);
  if (refused !== undefined) return { path, objects: [], problems: [refused] };
  const kinds = new Map(context.kinds.map((definition) => [definition.kind, definition]));
  const objects: LoadedObject[] = [];
  const problems: Problem[] = [];
  for (const part of splitDocuments(text)) {
    if (!part.hasContent) continue;
    const loaded = loadDocument(path, part, kinds, context.locals);
    problems.push(...loaded.problems);
    if (loaded.object !== undefined) objects.push(loaded.object);
  }
  return { path, objects, problems };
}

/** A problem of a whole file, for readers that meet what they cannot hand over as text. */
export function fileProblem(path: string, reason: string, message: string, hint: string): Problem {
  return { path, line: 0, column: 0, severity: "Error", reason, message, hint };
}

function unreadableFile(path: string, text: string): Problem | undefined {
  if (text.length > MAX_FILE_SIZE)
    return fileProblem(
      path,
      "FileTooLarge",
      `the file is larger than ${MAX_FILE_SIZE / 1024 / 1024} MiB`,
      "Split it: one file may hold as many objects as you like.",
    );
  const at = text.search(/[\0\ufffd]/);
  if (at === -1) return undefined;
  const before = text.slice(0, at).split("\n");
  const place = { line: before.length, column: (before.at(-1) ?? "").length + 1 };
  const problem = fileProblem(
    path,
    "FileNotText",
    "the file must be UTF-8 text",
    "Save it as UTF-8 without binary data.",
  );
  return { ...problem, ...place };
}

function loadDocument(
  path: string,
  part: DocumentText,
  kinds: ReadonlyMap<string, KindDefinition>,
  locals: ReadonlyMap<string, LocalValue>,
): { readonly object?: LoadedObject; readonly problems: readonly Problem[] } {
  const document = parseYaml(part);
  const report = new DocumentReport(path, document);
  const { value } = document;
  if (document.faults.length > 0) {
    report.key = guessKey(value, part.text, kinds);
    return { problems: report.problems };
  }
  if (/^%/m.test(part.text))
    report.add([], {
      reason: "DirectiveRefused",
      message: "a `%` directive must not be used",
      hint: "Remove the line; files are read as YAML 1.2.",
    });
  if (!isRecord(value)) {
    report.add([], {
      reason: "DocumentNotMapping",
      message: "the document must be a mapping with apiVersion, kind, metadata and spec",
    });
    return { problems: report.problems };
  }
  const envelope = readEnvelope(value, kinds, report);
  checkSecrets(value, report);
  const resolved = substituteLocals(value["spec"] ?? {}, locals, ["spec"]);
  for (const { path: at, message, hint } of resolved.missing)
    report.add(at, { reason: "LocalValueUndefined", message, hint });
  const spec =
    envelope === undefined || resolved.missing.length > 0
      ? undefined
      : checkSpec(envelope.definition, resolved.value, report);
  if (envelope === undefined || spec === undefined || report.failed) return { problems: report.problems };
  const { key, labels, annotations } = envelope;
  const stated = value as unknown as StatedDocument;
  const object: LoadedObject = {
    key,
    apiVersion: stated.apiVersion,
    labels,
    annotations,
    spec,
    stated,
    origin: { path, line: document.line },
    placeOf: (at) => document.placeOf(at, "Value"),
  };
  return { object, problems: report.problems };
}

function checkSecrets(value: Readonly<Record<string, unknown>>, report: DocumentReport): void {
  for (const { path, text } of stringsIn(value)) {
    const name = path.at(-1) === "value" ? valueAt(value, [...path.slice(0, -1), "name"]) : undefined;
    const found = typeof name === "string" ? secretInVariable(name, text) : secretIn(text);
    if (found === undefined) continue;
    const hint =
      "Remove it from the file and from git's history, and replace it where it was issued. Environment entries take `valueFrom` with `file`, `command` or `secretRef`.";
    report.add(path, {
      reason: "SecretInFile",
      message: `\`${fieldText(path)}\` looks like ${found}; secrets must not be in manifests`,
      hint,
    });
  }
}

/** The object that a document with broken syntax seems to declare, so that its last good version can stay in force. */
function guessKey(value: unknown, text: string, kinds: ReadonlyMap<string, KindDefinition>): ObjectKey | undefined {
  const plain = "[\"']?([A-Za-z0-9.-]+)[\"']?[ \\t]*(?:#.*)?\\r?$";
  const kind =
    isRecord(value) && typeof value["kind"] === "string"
      ? value["kind"]
      : new RegExp(`^kind:[ \\t]+${plain}`, "m").exec(text)?.[1];
  const definition = kinds.get(kind ?? "");
  const known = keyIn(value, definition);
  if (known !== undefined || definition === undefined) return known;
  const metadata = /^metadata:[ \t]*(?:#.*)?\r?\n((?:[ \t]+.*\n|[ \t]*\r?\n)*)/m.exec(`${text}\n`)?.[1] ?? "";
  const name = new RegExp(`^[ \\t]+name:[ \\t]+${plain}`, "m").exec(metadata)?.[1];
  if (name === undefined) return undefined;
  if (definition.scope === "Cluster") return { kind: definition.kind, name };
  return {
    kind: definition.kind,
    namespace: new RegExp(`^[ \\t]+namespace:[ \\t]+${plain}`, "m").exec(metadata)?.[1] ?? TOWN_NAMESPACE,
    name,
  };
}
