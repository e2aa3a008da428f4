/** How the turns of one session are run; written by the controller at the session's start. */
export interface TurnPlan {
  /** What the first turn is told; absent: it is told what there is to do by then. */
  readonly prompt?: string;
  /** Command of the first turn; `{prompt}` is filled in. */
  readonly first: readonly string[];
  /** Command of a further turn; `{session}` and `{prompt}` are filled in. Absent: each turn is a conversation of its own. */
  readonly next?: readonly string[];
  /** Command of a further turn when no session id is known; `{prompt}` is filled in. */
  readonly fresh: readonly string[];
  readonly session?: string;
  /** First group: the session id in what a turn prints. */
  readonly sessionIdPattern?: string;
  readonly endsWithoutWork: boolean;
  /** A turn that takes longer is ended. */
  readonly limitMs?: number;
}

/** Reads the plan's file. Throws TypeError that names the field. */
export function turnPlanOf(text: string): TurnPlan {
  const plan = JSON.parse(text) as Readonly<Record<string, unknown>>;
  if (plan["format"] !== 1) throw new TypeError("`format` must be 1: the plan was written by another version of town");
  const { prompt, next, session, sessionIdPattern, limitMs } = plan;
  return {
    first: words(plan, "first"),
    fresh: words(plan, "fresh"),
    endsWithoutWork: plan["endsWithoutWork"] === true,
    ...(typeof prompt === "string" ? { prompt } : {}),
    ...(next === undefined ? {} : { next: words(plan, "next") }),
    ...(typeof session === "string" ? { session } : {}),
    ...(typeof sessionIdPattern === "string" ? { sessionIdPattern } : {}),
    ...(typeof limitMs === "number" ? { limitMs } : {}),
  };
}

function words(plan: Readonly<Record<string, unknown>>, field: string): readonly string[] {
  const value = plan[field];
  if (!Array.isArray(value) || value.length === 0 || !value.every((word) => typeof word === "string"))
    throw new TypeError(`\`${field}\` must be a command`);
  return value;
}
