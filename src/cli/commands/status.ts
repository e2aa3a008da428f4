import { textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { coloursWanted } from "../output/colour.ts";
import { summaryText, type TownSummary } from "../output/summary.ts";
import { yamlText } from "../output/yaml.ts";
import type { Api } from "../connection/api.ts";
import { discoverTypes, type ResourceType } from "../resources/discovery.ts";
import {
  fieldsOf,
  isOpenMerge,
  numberOf,
  optional,
  readyCondition,
  readyOf,
  textOf,
} from "../resources/object-fields.ts";
import { listObjects, type ApiObject } from "../resources/objects.ts";
import { grouped, problemsOf } from "../resources/problems.ts";
import { SUMMARY_KINDS, type SummaryKind, townFacts } from "../resources/town-summary.ts";

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

async function summaryOf(api: Api): Promise<TownSummary> {
  const types = await discoverTypes(api);
  const lists = new Map(
    await Promise.all(SUMMARY_KINDS.map(async (kind) => [kind, await objectsOf(api, types, kind)] as const)),
  );
  const of = (kind: SummaryKind): readonly ApiObject[] => lists.get(kind) ?? [];
  const [town] = of("Town");
  const status = fieldsOf(town?.status);
  const agents = of("Agent");
  return {
    town: {
      ...townFacts(town),
      ...optional("spentToday", textOf(status["spentToday"])),
      ...disabledLoops(status["loops"]),
    },
    sessions: of("Session").filter((session) => fieldsOf(session.status)["state"] === "Running").length,
    rigs: of("Rig").map((rig) => {
      const own = (object: ApiObject): boolean => object.metadata.namespace === rig.metadata.name;
      const members = agents.filter(own);
      const work = fieldsOf(fieldsOf(rig.status)["work"]);
      return {
        name: rig.metadata.name,
        ready: readyOf(rig),
        branch: textOf(fieldsOf(rig.status)["branch"]) ?? "<unknown>",
        agents: members.length,
        working: members.filter(isWorking).length,
        merging: of("MergeRequest").filter((request) => own(request) && isOpenMerge(request)).length,
        ...optional("todo", countOf(work["ready"])),
        ...optional("blocked", countOf(work["blocked"])),
        ...optional("spentToday", textOf(fieldsOf(rig.status)["spentToday"])),
      };
    }),
    pools: of("AgentPool").map((pool) => ({
      namespace: pool.metadata.namespace ?? "",
      name: pool.metadata.name,
      role: textOf(pool.spec?.["role"]) ?? "",
      replicas: numberOf(pool.spec?.["replicas"]),
      running: numberOf(fieldsOf(pool.status)["replicas"]),
      working: numberOf(fieldsOf(pool.status)["working"]),
      ready: readyOf(pool),
    })),
    agents: agents.filter(isWorking).map((agent) => ({
      namespace: agent.metadata.namespace ?? "",
      name: agent.metadata.name,
      role: textOf(agent.spec?.["role"]) ?? "",
      state: textOf(fieldsOf(agent.status)["state"]) ?? "Unknown",
      hook: textOf(fieldsOf(agent.status)["hook"]) ?? "",
      ...optional("step", textOf(fieldsOf(agent.status)["step"])),
    })),
    convoys: of("Convoy")
      .filter((convoy) => fieldsOf(convoy.status)["closedTime"] === undefined)
      .map((convoy) => ({
        namespace: convoy.metadata.namespace ?? "",
        name: convoy.metadata.name,
        progress: textOf(fieldsOf(convoy.status)["progress"]) ?? "<unknown>",
        ...optional("state", readyCondition(convoy)?.reason),
        working: numberOf(fieldsOf(convoy.status)["working"]),
        merging: numberOf(fieldsOf(convoy.status)["merging"]),
        ...optional("spent", textOf(fieldsOf(convoy.status)["spent"])),
      })),
    mergeRequests: of("MergeRequest")
      .filter(isOpenMerge)
      .map((request) => ({
        namespace: request.metadata.namespace ?? "",
        name: request.metadata.name,
        state: textOf(fieldsOf(request.status)["state"]) ?? "Unknown",
        bead: textOf(request.spec?.["bead"]) ?? "",
        author: textOf(request.spec?.["author"]) ?? "",
      })),
    problems: grouped(SUMMARY_KINDS.flatMap((kind) => of(kind).flatMap(problemsOf))),
  };
}

/** Kinds that this daemon does not know count as empty. */
async function objectsOf(api: Api, types: readonly ResourceType[], kind: SummaryKind): Promise<readonly ApiObject[]> {
  const type = types.find((candidate) => candidate.kind === kind);
  return type === undefined ? [] : (await listObjects(api, type, { namespace: undefined })).items;
}

function isWorking(agent: ApiObject): boolean {
  return textOf(fieldsOf(agent.status)["hook"]) !== undefined;
}

function countOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function disabledLoops(loops: unknown): Pick<TownSummary["town"], "disabledLoops"> {
  const names = (Array.isArray(loops) ? loops : [])
    .map(fieldsOf)
    .filter((loop) => loop["state"] === "Disabled")
    .flatMap((loop) => textOf(loop["name"]) ?? []);
  return names.length === 0 ? {} : { disabledLoops: names };
}
