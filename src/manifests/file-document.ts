import type { KindDefinition } from "../resource/kind-definition.ts";
import { keyText } from "../resource/object-meta.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import { isRecord } from "../resource/equality.ts";
import { linesOf, splitDocuments } from "./document-text.ts";
import type { DocumentText } from "./document-text.ts";
import { keyIn } from "./envelope.ts";
import type { StatedDocument } from "./load-file.ts";
import { parseYaml } from "./yaml-document.ts";

/** One object's document inside the text of its file. */
export interface FileDocument {
  /** With its marker and comments, as it stands in the file. */
  readonly text: string;
  readonly value: StatedDocument;
  /** Line of the file at which it begins; 1-based. */
  readonly line: number;
}

/** The document of an object in a file; undefined when the file has none that parses. */
export function documentIn(file: string, key: ObjectKey, kinds: readonly KindDefinition[]): FileDocument | undefined {
  const found = locate(splitDocuments(file), key, kinds);
  return found === undefined ? undefined : { text: found.part.text, value: found.value, line: found.part.line };
}

/** The file with the object's document replaced by another text. Other documents keep every byte. */
export function replaceDocument(file: string, key: ObjectKey, kinds: readonly KindDefinition[], text: string): string {
  const parts = splitDocuments(file);
  const index = locate(parts, key, kinds)?.index;
  return parts.map((part, at) => (at === index ? withMarker(text, part.text.startsWith("---")) : part.text)).join("");
}

/** The file without the object's document; undefined when no other document is left. */
export function removeDocument(file: string, key: ObjectKey, kinds: readonly KindDefinition[]): string | undefined {
  const parts = splitDocuments(file);
  const index = locate(parts, key, kinds)?.index;
  const rest = parts.filter((_, at) => at !== index);
  if (!rest.some((part) => part.hasContent)) return undefined;
  const head = index === 0 ? heading(parts[0]?.text ?? "") : "";
  return head + rest.map((part) => part.text).join("");
}

/** The file with one more document at its end. */
export function appendDocument(file: string, text: string): string {
  const lineEnd = file.includes("\r\n") ? "\r\n" : "\n";
  const before = file === "" || file.endsWith("\n") ? file : file + lineEnd;
  return splitDocuments(file).some((part) => part.hasContent) ? before + withMarker(text, true) : before + text;
}

interface Located {
  readonly index: number;
  readonly part: DocumentText;
  readonly value: StatedDocument;
}

function locate(parts: readonly DocumentText[], key: ObjectKey, kinds: readonly KindDefinition[]): Located | undefined {
  const definition = kinds.find((each) => each.kind === key.kind);
  for (const [index, part] of parts.entries()) {
    // Most documents are ruled out without parsing them.
    if (!part.hasContent || !part.text.includes(key.name)) continue;
    const { value, faults } = parseYaml(part);
    if (faults.length > 0 || !isRecord(value) || value["kind"] !== key.kind) continue;
    const declared = keyIn(value, definition);
    if (declared !== undefined && keyText(declared) === keyText(key))
      return { index, part, value: value as unknown as StatedDocument };
  }
  return undefined;
}

function withMarker(text: string, wanted: boolean): string {
  const bare = text.replace(/^---[ \t]*\r?\n/, "");
  return wanted ? `---\n${bare}` : bare;
}

/** Comment lines at the top of a file that a blank line parts from its first document: about the file, not the document. */
function heading(text: string): string {
  const lines = linesOf(text);
  const first = lines.findIndex((line) => !/^\s*(#|$)/.test(line));
  const top = lines.slice(0, first === -1 ? lines.length : first);
  const blank = top.findLastIndex((line) => line.trim() === "");
  return blank <= 0 ? "" : top.slice(0, blank + 1).join("");
}
