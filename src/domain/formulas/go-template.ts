/** A value that a template can name: text, lists, and mappings of them. */
export type TemplateValue = string | readonly TemplateValue[] | { readonly [key: string]: TemplateValue };

type Node =
  | { readonly kind: "Text"; readonly text: string }
  | { readonly kind: "Field"; readonly field: string }
  | {
      readonly kind: "If" | "Range";
      readonly field: string;
      readonly body: readonly Node[];
      readonly or: readonly Node[];
    };

interface Frame {
  readonly root: TemplateValue;
  readonly dot: TemplateValue;
}

/**
 * The part of Go's text/template that prompts use: `{{.a.b}}`, `{{if .a}}`, `{{range .a}}`, `{{else}}`, `{{end}}`,
 * `{{- -}}`, comments, and `$.a` for a field of the whole. `if` holds for what is not empty. A field that is not there is
 * empty. Returns the fault as text when the template cannot be read: "line 3: …".
 */
export function renderTemplate(
  template: string,
  data: TemplateValue,
): { readonly text: string } | { readonly fault: string } {
  const parsed = parseTemplate(template);
  return "fault" in parsed ? parsed : { text: rendered(parsed.nodes, { root: data, dot: data }) };
}

function rendered(nodes: readonly Node[], frame: Frame): string {
  return nodes.map((node) => renderedNode(node, frame)).join("");
}

function renderedNode(node: Node, frame: Frame): string {
  if (node.kind === "Text") return node.text;
  const value = fieldOf(node.field, frame);
  if (node.kind === "Field")
    return typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
  const isEmpty = value === undefined || Object.keys(value).length === 0;
  if (isEmpty) return rendered(node.or, frame);
  if (node.kind === "If") return rendered(node.body, frame);
  const items = typeof value === "string" ? [value] : Object.values(value as readonly TemplateValue[]);
  return items.map((item) => rendered(node.body, { ...frame, dot: item })).join("");
}

function fieldOf(field: string, frame: Frame): TemplateValue | undefined {
  let value: TemplateValue | undefined = field.startsWith("$") ? frame.root : frame.dot;
  for (const part of field
    .replace(/^\$/, "")
    .split(".")
    .filter((name) => name !== ""))
    value =
      typeof value === "object" && Object.hasOwn(value, part)
        ? (value as Record<string, TemplateValue>)[part]
        : undefined;
  return value;
}

interface Open {
  readonly kind: "If" | "Range";
  readonly field: string;
  readonly line: number;
  readonly body: Node[];
  readonly or: Node[];
  inElse: boolean;
}

function parseTemplate(template: string): { readonly nodes: readonly Node[] } | { readonly fault: string } {
  const nodes: Node[] = [];
  const open: Open[] = [];
  const add = (node: Node): void => {
    const block = open.at(-1);
    (block === undefined ? nodes : block.inElse ? block.or : block.body).push(node);
  };
  let last = 0;
  let trim = false;
  const text = (piece: string, trimEnd: boolean): void => {
    const start = trim ? piece.trimStart() : piece;
    const whole = trimEnd ? start.trimEnd() : start;
    if (whole !== "") add({ kind: "Text", text: whole });
  };
  for (const match of template.matchAll(/\{\{(-?)\s*(\/\*[\s\S]*?\*\/|[^{}]*?)\s*(-?)\}\}/g)) {
    const [whole, before, action = "", after] = match;
    const line = template.slice(0, match.index).split("\n").length;
    text(template.slice(last, match.index), before === "-");
    last = match.index + whole.length;
    trim = after === "-";
    const fault = takeAction(action, { open, add, line });
    if (fault !== undefined) return { fault: `line ${line}: ${fault}` };
  }
  text(template.slice(last), false);
  const unclosed = open.at(-1);
  return unclosed === undefined
    ? { nodes }
    : { fault: `line ${unclosed.line}: {{${unclosed.kind.toLowerCase()}}} has no {{end}}` };
}

const FIELD = /^(?:\$|(?:\$?(?:\.\w+)+)|\.)$/;

function takeAction(
  action: string,
  at: { readonly open: Open[]; readonly add: (node: Node) => void; readonly line: number },
): string | undefined {
  if (action.startsWith("/*")) return undefined;
  if (FIELD.test(action)) {
    at.add({ kind: "Field", field: action });
    return undefined;
  }
  const [word = "", field = "", ...more] = action.split(/\s+/);
  const block = at.open.at(-1);
  if ((word === "if" || word === "range") && more.length === 0 && FIELD.test(field)) {
    at.open.push({ kind: word === "if" ? "If" : "Range", field, line: at.line, body: [], or: [], inElse: false });
    return undefined;
  }
  if (action === "else" && block !== undefined && !block.inElse) {
    block.inElse = true;
    return undefined;
  }
  if (action === "end" && block !== undefined) {
    at.open.pop();
    at.add({ kind: block.kind, field: block.field, body: block.body, or: block.or });
    return undefined;
  }
  // `{{name}}` without a dot is a variable of formulas, filled in later.
  if (!/^[A-Za-z_][\w-]*$/.test(action) || action === "else" || action === "end")
    return `{{${action}}} is not understood`;
  at.add({ kind: "Text", text: `{{${action}}}` });
  return undefined;
}
