import { usageError } from "../exit-codes.ts";

/** A step from a set of values to the values below them. */
type Step = (values: readonly unknown[]) => unknown[];

type Node =
  | { readonly is: "Text"; readonly text: string }
  | { readonly is: "Path"; readonly steps: readonly Step[] }
  | { readonly is: "Range"; readonly steps: readonly Step[]; readonly body: readonly Node[] };

/**
 * kubectl's JSONPath templates (https://kubernetes.io/docs/reference/kubectl/jsonpath/): text, `{.path}`, `{"text"}`,
 * `{range .items[*]}…{end}`, slices, unions, filters and `..`. Missing keys print nothing. Throws usage errors.
 */
export function jsonPathText(template: string, value: unknown): string {
  const [nodes, rest] = parseNodes(tokensOf(template), template);
  if (rest.length > 0) throw bad(template, "{end} without {range}");
  return render(nodes, value);
}

/** The values at a path given as `.a.b`, `{.a.b}` or `a.b`. */
export function jsonPathValues(path: string, value: unknown): unknown[] {
  const inner = /^\{(.*)\}$/s.exec(path.trim())?.[1] ?? path.trim();
  return follow(stepsOf(/^[.[$@]/.test(inner) ? inner : `.${inner}`, path), value);
}

/** A value as JSONPath output prints it: strings bare, the rest as JSON. */
export function valueText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

function render(nodes: readonly Node[], value: unknown): string {
  let text = "";
  for (const node of nodes) {
    if (node.is === "Text") text += node.text;
    else if (node.is === "Path") text += follow(node.steps, value).map(valueText).join(" ");
    else
      text += follow(node.steps, value)
        .map((item) => render(node.body, item))
        .join("");
  }
  return text;
}

function follow(steps: readonly Step[], value: unknown): unknown[] {
  return steps.reduce<unknown[]>((values, step) => step(values), [value]);
}

type Token = { readonly text: string } | { readonly expression: string };

function tokensOf(template: string): Token[] {
  const tokens: Token[] = [];
  let text = "";
  for (let i = 0; i < template.length; i += 1) {
    if (template[i] !== "{") {
      text += template[i];
      continue;
    }
    const end = closing(template, i);
    if (text !== "") tokens.push({ text });
    text = "";
    tokens.push({ expression: template.slice(i + 1, end).trim() });
    i = end;
  }
  if (text !== "") tokens.push({ text });
  return tokens;
}

/** Index of the `}` that ends the expression at `start`, past quoted text. */
function closing(template: string, start: number): number {
  let quote = "";
  for (let i = start + 1; i < template.length; i += 1) {
    const character = template[i] ?? "";
    if (quote !== "") {
      if (character === "\\") i += 1;
      else if (character === quote) quote = "";
    } else if (character === '"' || character === "'") quote = character;
    else if (character === "}") return i;
  }
  throw bad(template, "unclosed {");
}

function parseNodes(tokens: readonly Token[], template: string): [Node[], Token[]] {
  const nodes: Node[] = [];
  let rest = [...tokens];
  for (let token = rest.shift(); token !== undefined; token = rest.shift()) {
    if ("text" in token) nodes.push({ is: "Text", text: token.text });
    else if (token.expression === "end") return [nodes, [token, ...rest]];
    else if (/^range\s/.test(token.expression)) {
      const [body, after] = parseNodes(rest, template);
      if (after.length === 0) throw bad(template, "{range} without {end}");
      nodes.push({ is: "Range", steps: stepsOf(token.expression.slice(5).trim(), template), body });
      rest = after.slice(1);
    } else if (/^["']/.test(token.expression)) nodes.push({ is: "Text", text: unquoted(token.expression) });
    else nodes.push({ is: "Path", steps: stepsOf(token.expression, template) });
  }
  return [nodes, []];
}

const SEGMENT =
  /^(?:\.\.(?:(\*)|((?:\\.|[^.[\]\\\s])+))|\.(?:(\*)|((?:\\.|[^.[\]\\\s])+))|\.(?=\[)|\.$|\[((?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\]"'])*)\])/;

function stepsOf(path: string, template: string): Step[] {
  const steps: Step[] = [];
  let rest = path.replace(/^[$@]/, "");
  if (rest !== "" && !/^[.[]/.test(rest)) throw bad(template, `"${path}" is no path: it must start with "." or "["`);
  while (rest !== "") {
    const match = SEGMENT.exec(rest);
    if (match === null || match[0] === "") throw bad(template, `cannot read "${rest}"`);
    const [all, everyBelow, nameBelow, every, name, bracket] = match;
    rest = rest.slice(all.length);
    if (everyBelow !== undefined || nameBelow !== undefined) {
      steps.push((values) => values.flatMap(below));
      if (nameBelow !== undefined) steps.push(child(nameBelow.replace(/\\(.)/g, "$1")));
    } else if (every !== undefined) steps.push(everyChild);
    else if (name !== undefined) steps.push(child(name.replace(/\\(.)/g, "$1")));
    else if (bracket !== undefined) steps.push(bracketStep(bracket.trim(), template));
  }
  return steps;
}

const everyChild: Step = (values) => values.flatMap(childrenOf);

function child(name: string): Step {
  return (values) => values.flatMap((value) => (isMap(value) && value[name] !== undefined ? [value[name]] : []));
}

function childrenOf(value: unknown): unknown[] {
  return typeof value === "object" && value !== null ? Object.values(value) : [];
}

/** The value and everything below it, parents first. */
function below(value: unknown): unknown[] {
  return [value, ...childrenOf(value).flatMap(below)];
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function bracketStep(inner: string, template: string): Step {
  if (inner === "*") return everyChild;
  if (inner.startsWith("?")) return filterStep(inner, template);
  const slice = /^(-?\d*):(-?\d*)(?::(\d+))?$/.exec(inner);
  if (slice !== null) return sliceStep(slice[1] ?? "", slice[2] ?? "", Number(slice[3] ?? 1));
  const parts = inner.match(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^,\s]+/g) ?? [];
  if (parts.length === 0) throw bad(template, "empty []");
  const steps = parts.map((part) => elementStep(part, template));
  return (values) => values.flatMap((value) => steps.flatMap((step) => step([value])));
}

function elementStep(part: string, template: string): Step {
  if (/^["']/.test(part)) {
    const name = unquoted(part);
    const path = name.split(".").map(child);
    return (values) =>
      values.flatMap((value) =>
        isMap(value) && name in value ? [value[name]] : path.reduce<unknown[]>((found, step) => step(found), [value]),
      );
  }
  const index = Number(part);
  if (!Number.isInteger(index)) throw bad(template, `[${part}] is neither an index nor a quoted name`);
  return (values) =>
    values.flatMap((value) => (Array.isArray(value) && value.at(index) !== undefined ? [value.at(index)] : []));
}

function sliceStep(from: string, to: string, step: number): Step {
  return (values) =>
    values.flatMap((value) => {
      const items: unknown[] = Array.isArray(value)
        ? value.slice(from === "" ? 0 : Number(from), to === "" ? undefined : Number(to))
        : [];
      return items.filter((_, index) => index % Math.max(step, 1) === 0);
    });
}

function filterStep(inner: string, template: string): Step {
  const condition = /^\?\(\s*(.*?)\s*\)$/s.exec(inner)?.[1];
  if (condition === undefined) throw bad(template, `cannot read the filter [${inner}]`);
  const comparison = /^(.*?)\s*(==|!=|<=|>=|<|>)\s*(.*)$/s.exec(condition);
  const test =
    comparison === null
      ? exists(condition, template)
      : compares(comparison[1] ?? "", comparison[2] ?? "", comparison[3] ?? "", template);
  return (values) => values.flatMap((value) => (Array.isArray(value) ? value : childrenOf(value)).filter(test));
}

function exists(path: string, template: string): (item: unknown) => boolean {
  const steps = stepsOf(path, template);
  return (item) => follow(steps, item).length > 0;
}

function compares(left: string, operator: string, right: string, template: string): (item: unknown) => boolean {
  const a = operand(left, template);
  const b = operand(right, template);
  return (item) => compared(a(item), operator, b(item));
}

function operand(text: string, template: string): (item: unknown) => unknown {
  if (/^["']/.test(text)) return () => unquoted(text);
  if (/^[@$.]/.test(text)) {
    const steps = stepsOf(text, template);
    return (item) => follow(steps, item)[0];
  }
  if (text === "true" || text === "false") return () => text === "true";
  const number = Number(text);
  if (text === "" || Number.isNaN(number))
    throw bad(template, `cannot compare with ${text === "" ? "nothing" : text}: texts stand in quotes`);
  return () => number;
}

function compared(a: unknown, operator: string, b: unknown): boolean {
  if (operator === "==") return a === b;
  if (operator === "!=") return a !== b;
  if (typeof a !== typeof b || (typeof a !== "number" && typeof a !== "string")) return false;
  const order = a < (b as typeof a) ? -1 : a > (b as typeof a) ? 1 : 0;
  if (operator === "<") return order < 0;
  if (operator === ">") return order > 0;
  return operator === "<=" ? order <= 0 : order >= 0;
}

function unquoted(text: string): string {
  const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };
  return text.slice(1, -1).replace(/\\(.)/g, (_, character: string) => escapes[character] ?? character);
}

function bad(template: string, what: string): Error {
  return usageError(`JSONPath ${template}: ${what}`, "see https://kubernetes.io/docs/reference/kubectl/jsonpath/");
}
