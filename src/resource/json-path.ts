import { TerminalError } from "../errors/town-error.ts";
import { isRecord } from "./equality.ts";

/** Reads values out of an object; several only where the path has a filter or `[*]`. */
export interface JsonPath {
  (root: unknown): readonly unknown[];
  /** Present where the path is nothing but fields: its one value or undefined, without a list around it. */
  readonly single?: (root: unknown) => unknown;
}

type Step = (values: readonly unknown[]) => readonly unknown[];

const FIELD = /^\.([A-Za-z_][-A-Za-z0-9_]*)/;
const QUOTED_FIELD = /^\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]/;
const INDEX = /^\[(-?\d+)\]/;
const EVERY = /^(?:\[\*\]|\.\*)/;
const FILTER = /^\[\?\(@((?:\.[A-Za-z_][-A-Za-z0-9_]*)+)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)')\)\]/;
/** `.metadata.annotations.town\.dev/x` as kubectl writes dotted keys. */
const ESCAPED_FIELD = /^\.((?:[-A-Za-z0-9_/]|\\\.)+)/;

/**
 * The part of Kubernetes JSONPath that printer columns use: fields, `['quoted']`, `[0]`, `[*]` and filters by text such
 * as `[?(@.type=="Ready")]`. Text is without braces. Throws TerminalError `BadJsonPath`.
 */
export function compileJsonPath(text: string): JsonPath {
  const steps: (Step | string)[] = [];
  let rest = text;
  while (rest !== "") {
    const [step, length] = nextStep(rest, text);
    steps.push(step);
    rest = rest.slice(length);
  }
  const fields = steps.filter((step) => typeof step === "string");
  if (fields.length === steps.length) return singlePath(fields);
  const functions = steps.map((step) => (typeof step === "string" ? fieldStep(step) : step));
  return (root) => functions.reduce((values, step) => step(values), [root] as readonly unknown[]);
}

function singlePath(fields: readonly string[]): JsonPath {
  const single = (root: unknown): unknown => {
    let value = root;
    for (const field of fields) {
      if (!isRecord(value) || !Object.hasOwn(value, field)) return undefined;
      value = value[field];
    }
    return value ?? undefined;
  };
  return Object.assign((root: unknown) => present(single(root)), { single });
}

/** One step and its length: a function, or the name of a plain field. */
function nextStep(rest: string, whole: string): readonly [Step | string, number] {
  const every = EVERY.exec(rest);
  if (every !== null) return [(values) => values.flatMap(children), every[0].length];
  const filter = FILTER.exec(rest);
  if (filter !== null) return [filterStep(filter), filter[0].length];
  const index = INDEX.exec(rest);
  if (index !== null)
    return [
      (values) => values.flatMap((value) => present(Array.isArray(value) ? value.at(Number(index[1])) : undefined)),
      index[0].length,
    ];
  const quoted = QUOTED_FIELD.exec(rest);
  if (quoted !== null) return [(quoted[1] ?? quoted[2] ?? "").replace(/\\(.)/g, "$1"), quoted[0].length];
  const escaped = ESCAPED_FIELD.exec(rest);
  const field = FIELD.exec(rest);
  if (escaped !== null && escaped[0].length > (field?.[0].length ?? 0))
    return [(escaped[1] ?? "").replaceAll("\\.", "."), escaped[0].length];
  if (field !== null) return [field[1] ?? "", field[0].length];
  throw new TerminalError(
    "BadJsonPath",
    `Cannot read JSONPath '${whole}': '${rest}' is not understood. Allowed: .field, ['field'], [0], [*], [?(@.field=="text")].`,
  );
}

function filterStep([, path, operator, double, single]: RegExpExecArray): Step {
  const inner = compileJsonPath(path ?? "");
  const wanted = double ?? single ?? "";
  const keep = (item: unknown): boolean => (inner(item)[0] === wanted) === (operator === "==");
  return (values) => values.flatMap((value) => (Array.isArray(value) ? value.filter(keep) : []));
}

function fieldStep(name: string): Step {
  return (values) =>
    values.flatMap((value) => (isRecord(value) && Object.hasOwn(value, name) ? present(value[name]) : []));
}

function children(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isRecord(value) ? Object.values(value) : [];
}

function present(value: unknown): readonly unknown[] {
  return value === undefined || value === null ? [] : [value];
}

/** First value of a simple path, for fields that hold one. */
export function valueAt(root: unknown, path: string): unknown {
  const read = cached(path);
  return read.single === undefined ? read(root)[0] : read.single(root);
}

const compiled = new Map<string, JsonPath>();

function cached(path: string): JsonPath {
  const known = compiled.get(path);
  if (known !== undefined) return known;
  const made = compileJsonPath(path);
  compiled.set(path, made);
  return made;
}
