import { evaluateArithmetic, evaluateRange } from "./arithmetic.ts";
import { type Compilation, MAX_DEPTH, MAX_TURNS } from "./compilation.ts";
import { type Draft, everyDraft, renamed } from "./draft.ts";
import { fillBraces, fillText } from "./fill-text.ts";
import { fillDraft } from "./fill-draft.ts";
import { replaceSteps, type Replacement, sinksOf } from "./replacement.ts";

/**
 * Loops unrolled: turn N of loop L has the steps `L.iterN.<step>` and begins when turn N - 1 is done. `{var}` in the body
 * is the number of the turn, or the value of the range.
 */
export function expandLoops(tree: readonly Draft[], at: Compilation, depth = 0): readonly Draft[] {
  const replacements = new Map<Draft, Replacement>();
  for (const step of everyDraft(tree)) {
    if (step.loop === undefined) continue;
    if (depth >= MAX_DEPTH) at.tell(step.at, "loop", "LoopTooDeep", `loops are more than ${MAX_DEPTH} deep`);
    else replacements.set(step, unrolled(step, step.loop, at, depth));
  }
  return replaceSteps(tree, replacements);
}

function unrolled(step: Draft, loop: NonNullable<Draft["loop"]>, at: Compilation, depth: number): Replacement {
  if (step.children.length > 0)
    at.tell(step.at, "children", "LoopWithChildren", `step '${step.id}' must not have both a loop and children`);
  const steps: Draft[] = [];
  let exits: readonly string[] = [];
  for (const [index, value] of turnsOf(step, loop, at).entries()) {
    const known = new Map(loop.var === undefined ? [] : [[loop.var, String(value)]]);
    const filled = loop.body.map((inner) => fillDraft(inner, (text) => fillBraces(text, known)));
    const body = renamed(expandLoops(filled, at, depth + 1), (id) => `${step.id}.iter${index + 1}.${id}`);
    const ids = new Set(body.map((inner) => inner.id));
    for (const inner of body) {
      const isFirst = !inner.needs.some((need) => ids.has(need));
      steps.push({
        ...inner,
        needs: isFirst ? [...inner.needs, ...exits] : inner.needs,
        labels: [...new Set([...step.labels, ...inner.labels])],
        conditions: [...step.conditions, ...inner.conditions],
      });
    }
    exits = sinksOf(body);
  }
  return { steps };
}

function turnsOf(step: Draft, loop: NonNullable<Draft["loop"]>, at: Compilation): readonly number[] {
  const tell = (field: string, reason: string, message: string, hint?: string): readonly number[] => {
    at.tell({ ...step.at, path: [...step.at.path, "loop"] }, field, reason, message, hint);
    return [];
  };
  const ways = [loop.count, loop.range, loop.until].filter((way) => way !== undefined);
  if (ways.length !== 1)
    return tell("count", "LoopInvalid", "`loop` must have exactly one of `count`, `range` and `until` with `max`");
  if (loop.body.length === 0) return tell("body", "LoopInvalid", "`loop.body` must have at least 1 item");
  if (loop.until !== undefined)
    return tell("until", "LoopUntil", "loops with `until` are not yet in effect", "Use `count`, or a `check` step.");
  if (loop.count !== undefined) {
    if (loop.count > MAX_TURNS) return tell("count", "LoopTooLong", `a loop must have at most ${MAX_TURNS} turns`);
    return Array.from({ length: loop.count }, (_, index) => index + 1);
  }
  const values = new Map(
    [...at.values].flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
  );
  const range = fillBraces(fillText(loop.range ?? "", at.values), values);
  const turns = evaluateRange(range, MAX_TURNS);
  if (turns !== undefined) return turns;
  if (at.lenient && /\{/.test(range)) return [1];
  const [from, to] = range.split("..").map((end) => evaluateArithmetic(end));
  return from !== undefined && to !== undefined
    ? tell("range", "LoopTooLong", `a loop must have at most ${MAX_TURNS} turns, not ${to - from + 1}`)
    : tell("range", "RangeInvalid", `'${range}' is no range`, "Write `1..4` or `1..2^{{n}} - 1`.");
}
