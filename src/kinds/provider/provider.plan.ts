import { isWithin, type VersionRange } from "../../domain/agent-program/version.ts";
import { type ConditionIntent, READY } from "../../resource/condition.ts";
import type { Plan } from "../../resource/controller.ts";
import { RECONCILE_ANNOTATION } from "../../resource/held-annotation.ts";
import { holdOf, type ProviderHold } from "../../work/provider-hold.ts";
import type { ProviderObject, ProviderObserved } from "./provider.observe.ts";

export type ProviderAction = { readonly do: "LiftHold" };

/** Whether new sessions wait for a limit, a login or an answer. */
export const HELD = "Held";

/** Whether the installed version is one that is known to work. */
export const TESTED = "Tested";

/** A timer may not run longer than some weeks. */
const LONGEST_LOOK_MS = 3_600_000;

/** A program that was just installed is found this soon. */
const LOOK_FOR_MISSING_MS = 60_000;

/**
 * A provider is ready when its program can be started; whether its version was ever tested, and whether new sessions wait,
 * are statements of their own.
 */
export function planProvider(object: ProviderObject, observed: ProviderObserved): Plan<ProviderAction> {
  const plan = planProgram(object, observed.program);
  if (object.status?.hold === undefined) return plan;
  const hold = holdOf(object, observed.now);
  if (hold === undefined) return { ...plan, status: { ...plan.status, hold: null } };
  const leftMs = Date.parse(hold.until) - observed.now;
  // Whoever asks to look again knows something that the program has not said.
  const asked = Date.parse(object.metadata.annotations?.[RECONCILE_ANNOTATION] ?? "") > Date.parse(hold.since);
  return {
    ...plan,
    actions: asked ? [{ do: "LiftHold" }] : [],
    conditions: [...(plan.conditions ?? []), held(object, hold)],
    requeueAfterMs: Math.min(leftMs, plan.requeueAfterMs ?? LONGEST_LOOK_MS),
  };
}

function held(
  { metadata: { name } }: ProviderObject,
  { reason, until, agent, message }: ProviderHold,
): ConditionIntent {
  const text = `no session is started until ${until}, then they go on by themselves (${agent}: ${message}); try now: town reconcile provider/${name}`;
  return { type: HELD, status: "True", reason, message: text };
}

function planProgram(object: ProviderObject, seen: ProviderObserved["program"]): Plan<ProviderAction> {
  switch (seen.state) {
    case "Shipped":
      return {
        actions: [],
        conditions: [ready("True", "ProgramShipped", "the program comes with Town")],
        status: { program: null, version: null, fingerprint: null },
      };
    case "Missing":
      return {
        actions: [],
        conditions: [ready("False", "ProgramNotFound", missing(seen.command, object.spec.install))],
        status: { program: null, version: null, fingerprint: null },
        requeueAfterMs: LOOK_FOR_MISSING_MS,
      };
    case "Found":
      return {
        actions: [],
        conditions: [
          ready("True", "ProgramFound", `${seen.version ?? "unknown version"} at ${seen.path}`),
          tested(object, seen.version),
        ],
        status: { program: seen.path, version: seen.version ?? null, fingerprint: seen.fingerprint },
      };
    default:
      return seen satisfies never;
  }
}

function missing(command: string, install: string | undefined): string {
  const fix = install === undefined ? "install it" : `install it: ${install}`;
  return `there is no program ${command} on the PATH of the controller, which is that of agents' sessions; ${fix}, and restart the controller if the PATH has changed`;
}

function tested(object: ProviderObject, version: string | undefined): ConditionIntent {
  const ranges = rangesOf(object);
  const { name } = object.metadata;
  if (version === undefined)
    return {
      type: TESTED,
      status: "Unknown",
      reason: "VersionUnknown",
      message: "the program does not tell its version",
    };
  if (ranges.some((range) => isWithin(version, range)))
    return { type: TESTED, status: "True", reason: "VersionTested", message: `${version} passed the conformance test` };
  const known = ranges.map(({ from, to }) => (from === to ? from : `${from} to ${to}`)).join(", ");
  return {
    type: TESTED,
    status: "False",
    reason: "VersionUntested",
    message: `${version} was not tested${known === "" ? "" : ` (${known} was)`}; run: town provider test ${name}`,
  };
}

/** What the manifest states and what was tested here. */
function rangesOf(object: ProviderObject): readonly VersionRange[] {
  return [object.spec.version.tested, object.status?.tested].filter((range) => range !== undefined);
}

function ready(status: "True" | "False", reason: string, message: string): ConditionIntent {
  return { type: READY, status, reason, message };
}
