import { conditionsOf, fieldsOf, numberOf, textOf } from "./object-fields.ts";
import type { ApiObject } from "./objects.ts";

/** Something that a person should look at. */
export interface Problem {
  /** `Kind/namespace/name`, or the place in a file. */
  readonly object: string;
  readonly reason: string;
  readonly message: string;
}

/** What is wrong with an object: files of the town, open escalations, else its conditions. */
export function problemsOf(object: ApiObject): readonly Problem[] {
  if (object.kind === "Escalation") return [...conditionProblems(object), ...openEscalation(object)];
  if (object.kind === "Town")
    return [...syncProblems(fieldsOf(fieldsOf(object.status)["sync"])), ...conditionProblems(object)];
  if (object.kind === "Provider") return trueConditions(object, "Held");
  if (object.kind === "Rig") return [...conditionProblems(object), ...trueConditions(object, "TargetBroken")];
  return object.kind === "Agent" ? [...conditionProblems(object), ...agentProblems(object)] : conditionProblems(object);
}

/** What an agent waits for a person with, or is held up by. */
const AGENT_TROUBLE: ReadonlySet<string> = new Set([
  "QuestionOpen",
  "AuthRequired",
  "DialogOpen",
  "RateLimited",
  "MessagesUnconfirmed",
]);

function agentProblems(object: ApiObject): readonly Problem[] {
  return conditionsOf(object)
    .filter(({ type, status }) => status === "True" && AGENT_TROUBLE.has(type))
    .map(({ type, message }) => ({ object: nameOf(object), reason: type, message }));
}

/** A program that is not installed is a problem only of those who ask for it: its Ready is not looked at. */
function trueConditions(object: ApiObject, wanted: string): readonly Problem[] {
  return conditionsOf(object)
    .filter(({ type, status }) => status === "True" && type === wanted)
    .map(({ reason, message }) => ({ object: nameOf(object), reason, message }));
}

/** One line for what several objects have alike: thirty agents that wait for one limit are one problem. */
export function grouped(problems: readonly Problem[]): readonly Problem[] {
  const groups = new Map<string, { readonly first: Problem; readonly count: number }>();
  for (const problem of problems) {
    const { object, reason, message } = problem;
    const alike = [object.split("/")[0], reason, message].join("\n");
    const { first = problem, count = 0 } = groups.get(alike) ?? {};
    groups.set(alike, { first, count: count + 1 });
  }
  return [...groups.values()].map(({ first, count }) =>
    count === 1 ? first : { ...first, object: `${first.object} and ${count - 1} more` },
  );
}

function nameOf({ kind, metadata: { namespace, name } }: ApiObject): string {
  return `${kind}/${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

/** Stalled, or not ready with nothing under way to change that. */
function conditionProblems(object: ApiObject): readonly Problem[] {
  const conditions = conditionsOf(object);
  const stalled = conditions.find((condition) => condition.type === "Stalled" && condition.status === "True");
  const isReconciling = conditions.some((condition) => condition.type === "Reconciling" && condition.status === "True");
  const notReady = isReconciling
    ? undefined
    : conditions.find((condition) => condition.type === "Ready" && condition.status === "False");
  const problem = stalled ?? notReady;
  if (problem === undefined || object.spec?.["suspend"] === true) return [];
  // Its files are listed with their places.
  if (object.kind === "Town" && problem.reason === "ManifestsInvalid") return [];
  return [
    {
      object: nameOf(object),
      reason: problem.reason,
      message: problem.message,
    },
  ];
}

function openEscalation({ metadata, spec, status }: ApiObject): readonly Problem[] {
  if (textOf(fieldsOf(status)["state"])?.toLowerCase() === "closed") return [];
  const severity = spec?.["severity"];
  return [
    {
      object: `Escalation/${metadata.namespace ?? "hq"}/${metadata.name}`,
      reason: typeof severity === "number" ? `Severity${severity}` : "Escalated",
      message: textOf(spec?.["title"]) ?? "",
    },
  ];
}

/** What is wrong in files, with its place. */
function syncProblems(sync: Readonly<Record<string, unknown>>): readonly Problem[] {
  const problems = Array.isArray(sync["problems"])
    ? (sync["problems"] as readonly Readonly<Record<string, unknown>>[])
    : [];
  return problems.map((problem) => ({
    object: `${textOf(problem["path"]) ?? "?"}:${numberOf(problem["line"])}:${numberOf(problem["column"])}`,
    reason: textOf(problem["reason"]) ?? "NotApplied",
    message: textOf(problem["message"]) ?? "",
  }));
}
