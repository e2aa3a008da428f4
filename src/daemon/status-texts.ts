import type { TownObject } from "../resource/object-meta.ts";

/** What of the API's objects the status line is made of. */
export interface StatusObjects {
  readonly sessions: readonly TownObject[];
  readonly agents: readonly TownObject[];
  readonly convoys: readonly TownObject[];
  readonly mergeRequests: readonly TownObject[];
  /** `Town.status.runtime`. */
  readonly runtime: string | undefined;
}

export interface StatusTexts {
  /** For everybody: what is wrong, how many work, how far the convoys are. */
  readonly town: string;
  /** By session name on the runtime: what its agent is at, and its rig's work. */
  readonly sessions: ReadonlyMap<string, string>;
}

const OPEN_MERGES: ReadonlySet<string> = new Set(["Queued", "Testing", "Waiting"]);
/** A status line is one line: the oldest convoys are shown, the rest counted. */
const MOST_CONVOYS = 2;

/** Pure; short enough for 80 columns. */
export function statusTexts(objects: StatusObjects): StatusTexts {
  const agents = new Map(objects.agents.map((agent) => [placeOf(agent), agent]));
  const working = objects.agents.filter((agent) => textOf(agent, "hook") !== undefined);
  const stalled = objects.agents.filter((agent) => textOf(agent, "state") === "Stalled").length;
  const trouble = objects.runtime === "Frozen" || objects.runtime === "NotAnswering" ? `! ${objects.runtime}` : "";
  const town = [
    trouble,
    stalled === 0 ? "" : `! ${stalled} stalled`,
    `${working.length}/${objects.sessions.length} at work`,
    ...convoyTexts(objects.convoys),
  ];
  const sessions = new Map(
    objects.sessions.map((session) => [
      String(session.spec["runtimeName"]),
      sessionText(session, agents.get(placeOf(session)), objects),
    ]),
  );
  return { town: town.filter((part) => part !== "").join(" | "), sessions };
}

function sessionText(session: TownObject, agent: TownObject | undefined, objects: StatusObjects): string {
  const state = agent === undefined ? "" : (textOf(agent, "state") ?? "");
  const step = agent === undefined ? undefined : textOf(agent, "step");
  const merging = objects.mergeRequests.filter(
    (request) =>
      request.metadata.namespace === session.metadata.namespace &&
      OPEN_MERGES.has(textOf(request, "state") ?? "Queued"),
  ).length;
  return [state === "Working" && step !== undefined ? step : state, merging === 0 ? "" : `${merging} merging`]
    .filter((part) => part !== "")
    .join(", ");
}

function convoyTexts(convoys: readonly TownObject[]): readonly string[] {
  const open = convoys
    .filter((convoy) => textOf(convoy, "closedTime") === undefined)
    .toSorted((a, b) => (a.metadata.creationTimestamp ?? "").localeCompare(b.metadata.creationTimestamp ?? ""));
  const shown = open
    .slice(0, MOST_CONVOYS)
    .map((convoy) => `${convoy.metadata.name} ${textOf(convoy, "progress") ?? "0/?"}`);
  return open.length > MOST_CONVOYS ? [...shown, `+${open.length - MOST_CONVOYS} convoys`] : shown;
}

function placeOf(object: TownObject): string {
  return `${object.metadata.namespace ?? "hq"}/${object.metadata.name}`;
}

function textOf(object: TownObject, field: string): string | undefined {
  const value = (object.status as Readonly<Record<string, unknown>> | undefined)?.[field];
  return typeof value === "string" && value !== "" ? value : undefined;
}
