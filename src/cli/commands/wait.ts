import { ApiStatusError } from "../../errors/town-error.ts";
import { isSet, textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { durationMs } from "../duration.ts";
import { EXIT, usageError } from "../exit-codes.ts";
import { jsonPathValues, valueText } from "../output/json-path.ts";
import { discoverTypes, typeText } from "../resources/discovery.ts";
import { scopeOf } from "../resources/flags.ts";
import { conditionsOf } from "../resources/object-fields.ts";
import type { ApiObject } from "../resources/objects.ts";
import { selectionsOf } from "../resources/selection.ts";
import { until } from "../resources/until.ts";
import { findObjects, type Found } from "../resources/writes.ts";

interface Goal {
  readonly what: string;
  /** Word of the success message. */
  readonly done: string;
  readonly met: (object: ApiObject | undefined) => boolean;
}

/** Waits for each object in turn; the timeout (default 30s) is for all of them together. Exit 124 when it is over. */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const text = textFlag(input, "for");
  if (text === undefined)
    throw usageError(
      "--for is required",
      "as --for=condition=Ready, --for=jsonpath='{.status.state}'=Working, --for=delete or --for=create",
    );
  const goal = goalOf(text);
  const targets = await targetsOf(goal, input, context);
  if (targets.length === 0) throw usageError("no matching resources found");
  const timeout = textFlag(input, "timeout") ?? "30s";
  const timeoutMs = durationMs(timeout, "timeout");
  const deadlineMs = context.now() + timeoutMs;
  for (const target of targets) {
    const met = observed(goal, target, context);
    await until({ api: context.api(), target, deadlineMs, what: goal.what, met }, context);
    context.streams.out(`${typeText(target.type)}/${target.object.metadata.name} ${goal.done}\n`);
  }
  return EXIT.done;
}

function goalOf(text: string): Goal {
  const [kind = "", ...rest] = text.split("=");
  const value = rest.join("=");
  if (kind === "delete" || kind === "create")
    return {
      what: `the ${kind === "delete" ? "deletion" : "creation"} of`,
      done: kind === "delete" ? "condition met" : "created",
      met: (object) => (object === undefined) === (kind === "delete"),
    };
  if (kind === "condition" && value !== "") {
    const [type = "", status = "True"] = value.split("=");
    return {
      what: `the condition ${type} of`,
      done: "condition met",
      met: (object) => hasCondition(object, type, status),
    };
  }
  if (kind === "jsonpath" && value !== "") return pathGoal(value);
  throw usageError(
    `--for=${text}: unknown goal`,
    "use condition=TYPE[=STATUS], jsonpath='{PATH}'[=VALUE], delete or create",
  );
}

function pathGoal(text: string): Goal {
  const match = /^(\{.*\}|[^{=]+)(?:=(.*))?$/s.exec(text);
  if (match === null)
    throw usageError(`--for=jsonpath=${text}: unreadable`, "as --for=jsonpath='{.status.state}'=Working");
  const [, path = "", wanted] = match;
  jsonPathValues(path, {});
  const met = (object: ApiObject | undefined): boolean => {
    const values = jsonPathValues(path, object ?? {}).map(valueText);
    return wanted === undefined ? values.length > 0 : values.includes(wanted.replace(/^(["'])(.*)\1$/, "$2"));
  };
  return { what: `${path} of`, done: "condition met", met };
}

/** A condition judged for an older generation of the object says nothing about it now. */
function hasCondition(object: ApiObject | undefined, type: string, status: string): boolean {
  return conditionsOf(object).some(
    (condition) =>
      condition.type.toLowerCase() === type.toLowerCase() &&
      condition.status.toLowerCase() === status.toLowerCase() &&
      (condition.observedGeneration === undefined ||
        condition.observedGeneration >= (object?.metadata.generation ?? 0)),
  );
}

/** The goal's judgement, which also tells a person at a terminal what the object says meanwhile. */
function observed(goal: Goal, target: Found, context: CommandContext): Goal["met"] {
  let said = "";
  return (object) => {
    const text = conditionsOf(object)
      .map((condition) => `${condition.type}=${condition.status} ${condition.reason}: ${condition.message}`)
      .join("; ");
    if (context.streams.errIsTerminal && text !== said && text !== "")
      context.streams.err(`${target.object.metadata.name}: ${text}\n`);
    said = text;
    return goal.met(object);
  };
}

/** Objects that need not exist are taken by name: those awaited to be gone, or to come. */
async function targetsOf(goal: Goal, input: CommandInput, context: CommandContext): Promise<readonly Found[]> {
  const api = context.api();
  if (goal.done !== "created" && goal.what !== "the deletion of") return await findObjects(api, input, "wait");
  if (isSet(input, "all") || textFlag(input, "selector") !== undefined) return await findObjects(api, input, "wait");
  const { namespace } = scopeOf(input);
  const place = namespace === undefined ? {} : { namespace };
  if (goal.done === "created") {
    return selectionsOf(input.args, await discoverTypes(api, input.args), {
      command: "wait",
      namesRequired: true,
    }).flatMap(({ type, names }) =>
      (names ?? []).map((name) => ({
        type,
        object: { apiVersion: "", kind: type.kind, metadata: { name, ...place } as ApiObject["metadata"] },
      })),
    );
  }
  try {
    return await findObjects(api, input, "wait");
  } catch (error) {
    if (!(error instanceof ApiStatusError) || error.code !== 404) throw error;
    const types = selectionsOf(input.args, await discoverTypes(api, input.args), { command: "wait" });
    return types.flatMap(({ type, names }) =>
      (names ?? []).map((name) => ({
        type,
        object: { apiVersion: "", kind: type.kind, metadata: { name, ...place } as ApiObject["metadata"] },
      })),
    );
  }
}
