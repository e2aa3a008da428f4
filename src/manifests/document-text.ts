/** One document of a multi-document file, with the markers around it, so that the parts joined are the file again. */
export interface DocumentText {
  readonly text: string;
  /** Line of the file at which `text` starts; 1-based. */
  readonly line: number;
  /** False when there is nothing but comments and markers. */
  readonly hasContent: boolean;
}

const START = /^---(?=\s|$)/;
const END = /^\.\.\.(?=\s|$)/;

/**
 * Cuts a YAML stream at its document markers. YAML allows the markers at the beginning of a line nowhere inside a
 * document, also not in block or quoted scalars (YAML 1.2.2 §9.1.2), so a broken document cannot swallow its neighbours.
 */
export function splitDocuments(text: string): readonly DocumentText[] {
  const parts: DocumentText[] = [];
  let lines: string[] = [];
  let line = 1;
  const flush = (): void => {
    if (lines.length === 0) return;
    parts.push({ text: lines.join(""), line, hasContent: lines.some(isContent) });
    line += lines.length;
    lines = [];
  };
  for (const current of linesOf(text)) {
    if (START.test(current)) flush();
    lines.push(current);
    if (END.test(current)) flush();
  }
  flush();
  return parts;
}

/** Lines with their line ends; CRLF stays with its line. */
export function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function isContent(line: string): boolean {
  const rest = line
    .replace(/^\ufeff/, "")
    .replace(START, "")
    .replace(END, "")
    .trim();
  return rest !== "" && !rest.startsWith("#");
}
