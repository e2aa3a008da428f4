import type { Condition } from "../../resource/condition.ts";
import { textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { coloursWanted } from "../output/colour.ts";
import { summaryText, type TownSummary } from "../output/summary.ts";
import { yamlText } from "../output/yaml.ts";
import type { Api } from "../connection/api.ts";
import { discoverTypes, type ResourceType } from "../resources/discovery.ts";
import { listObjects, type ApiObject } from "../resources/objects.ts";

/** The town on one screen, from the API's objects alone; -o json has the same with stable names. */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const summary = await summaryOf(context.api());
  const output = textFlag(input, "output");
  const { streams, env } = context;
  if (output === "json") streams.out(`${JSON.stringify(summary, undefined, 2)}\n`);
  else if (output === "yaml") streams.out(yamlText(summary));
  else
    streams.out(summaryText(summary, { colours: coloursWanted(streams.outIsTerminal, env), columns: streams.columns }));
  return EXIT.done;
}

const KINDS = ["Town", "Rig", "AgentPool", "Agent", "Session", "Convoy", "MergeRequest", "Escalation"] as const;
type Kind = (typeof KINDS)[number];

/** Merge requests that have not ended. */
const OPEN_MERGES = new Set(["Queued", "Testing", "Waiting"]);

async function summaryOf(api: Api): Promise<TownSummary> {
  const types = await discoverTypes(api);
  const lists = new Map(
    await Promise.all(KINDS.map(async (kind) => [kind, await objectsOf(api, types, kind)] as const)),
  );
  const of = (kind: Kind): readonly ApiObject[] => lists.get(kind) ?? [];
  const [town] = of("Town");
  const status = fields(town?.status);
  const sync = fields(status["sync"]);
  const agents = of("Agent");
  return {
    town: {
      name: town?.metadata.name ?? "hq",
      sync: text(sync["status"]) ?? "Unknown",
      ...optional("revision", text(sync["appliedRevision"])),
      health: text(status["health"]) ?? readyOf(town),
      suspended: town?.spec?.["suspend"] === true,
      ...optional("runtime", text(status["runtime"])),
      ...disabledLoops(status["loops"]),
    },
    sessions: of("Session").filter((session) => fields(session.status)["state"] === "Running").length,
    rigs: of("Rig").map((rig) => {
      const own = (object: ApiObject): boolean => object.metadata.namespace === rig.metadata.name;
      const members = agents.filter(own);
      return {
        name: rig.metadata.name,
        ready: readyOf(rig),
        branch: text(fields(rig.status)["branch"]) ?? "<unknown>",
        agents: members.length,
        working: members.filter(isWorking).length,
        merging: of("MergeRequest").filter((request) => own(request) && isOpen(request)).length,
      };
    }),
    pools: of("AgentPool").map((pool) => ({
      namespace: pool.metadata.namespace ?? "",
      name: pool.metadata.name,
      role: text(pool.spec?.["role"]) ?? "",
      replicas: number(pool.spec?.["replicas"]),
      running: number(fields(pool.status)["replicas"]),
      working: number(fields(pool.status)["working"]),
      ready: readyOf(pool),
    })),
    agents: agents.filter(isWorking).map((agent) => ({
      namespace: agent.metadata.namespace ?? "",
      name: agent.metadata.name,
      role: text(agent.spec?.["role"]) ?? "",
      state: text(fields(agent.status)["state"]) ?? "Unknown",
      hook: text(fields(agent.status)["hook"]) ?? "",
      ...optional("step", text(fields(agent.status)["step"])),
    })),
    convoys: of("Convoy")
      .filter((convoy) => fields(convoy.status)["closedTime"] === undefined)
      .map((convoy) => ({
        namespace: convoy.metadata.namespace ?? "",
        name: convoy.metadata.name,
        progress: text(fields(convoy.status)["progress"]) ?? "<unknown>",
        working: number(fields(convoy.status)["working"]),
        merging: number(fields(convoy.status)["merging"]),
      })),
    mergeRequests: of("MergeRequest")
      .filter(isOpen)
      .map((request) => ({
        namespace: request.metadata.namespace ?? "",
        name: request.metadata.name,
        state: text(fields(request.status)["state"]) ?? "Unknown",
        bead: text(request.spec?.["bead"]) ?? "",
        author: text(request.spec?.["author"]) ?? "",
      })),
    problems: [
      ...syncProblems(sync),
      ...KINDS.flatMap((kind) => of(kind).flatMap(problemsOf)),
      ...of("Escalation").flatMap(openEscalation),
    ],
  };
}

/** Kinds that this daemon does not know count as empty. */
async function objectsOf(api: Api, types: readonly ResourceType[], kind: Kind): Promise<readonly ApiObject[]> {
  const type = types.find((candidate) => candidate.kind === kind);
  return type === undefined ? [] : (await listObjects(api, type, { namespace: undefined })).items;
}

function isWorking(agent: ApiObject): boolean {
  return text(fields(agent.status)["hook"]) !== undefined;
}

function isOpen(request: ApiObject): boolean {
  return OPEN_MERGES.has(text(fields(request.status)["state"]) ?? "Queued");
}

function conditionsOf(object: ApiObject | undefined): readonly Condition[] {
  const { conditions } = fields(object?.status);
  return Array.isArray(conditions) ? (conditions as readonly Condition[]) : [];
}

function readyOf(object: ApiObject | undefined): string {
  return conditionsOf(object).find((condition) => condition.type === "Ready")?.status ?? "Unknown";
}

/** Stalled, or not ready with nothing under way to change that. */
function problemsOf(object: ApiObject): TownSummary["problems"] {
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
  const { namespace, name } = object.metadata;
  return [
    {
      object: `${object.kind}/${namespace === undefined ? "" : `${namespace}/`}${name}`,
      reason: problem.reason,
      message: problem.message,
    },
  ];
}

function disabledLoops(loops: unknown): Pick<TownSummary["town"], "disabledLoops"> {
  const names = (Array.isArray(loops) ? loops : [])
    .map(fields)
    .filter((loop) => loop["state"] === "Disabled")
    .flatMap((loop) => text(loop["name"]) ?? []);
  return names.length === 0 ? {} : { disabledLoops: names };
}

function openEscalation({ metadata, spec, status }: ApiObject): TownSummary["problems"] {
  if (text(fields(status)["state"])?.toLowerCase() === "closed") return [];
  const severity = spec?.["severity"];
  return [
    {
      object: `Escalation/${metadata.namespace ?? "hq"}/${metadata.name}`,
      reason: typeof severity === "number" ? `Severity${severity}` : "Escalated",
      message: text(spec?.["title"]) ?? "",
    },
  ];
}

/** Files that could not be applied, with their place. */
function syncProblems(sync: Readonly<Record<string, unknown>>): TownSummary["problems"] {
  const problems = Array.isArray(sync["problems"])
    ? (sync["problems"] as readonly Readonly<Record<string, unknown>>[])
    : [];
  return problems.map((problem) => ({
    object: `${text(problem["path"]) ?? "?"}:${number(problem["line"])}:${number(problem["column"])}`,
    reason: "NotApplied",
    message: text(problem["message"]) ?? "",
  }));
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function optional<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<K, string>>);
}
