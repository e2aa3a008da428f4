import type { Api } from "../connection/api.ts";
import { bodyOf } from "../connection/api-status.ts";
import { textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { EXIT, usageError } from "../exit-codes.ts";
import { coloursWanted } from "../output/colour.ts";
import { tableLines } from "../output/table.ts";
import { discoverTypes } from "../resources/discovery.ts";
import { scopeOf } from "../resources/flags.ts";
import { fieldsOf, numberOf, placeOf, textOf } from "../resources/object-fields.ts";
import { type ApiObject, listObjects, type Scope } from "../resources/objects.ts";
import { costText, tokensText } from "./amounts.ts";

/** What `-o json` prints of an agent; what is not known is left out. */
export interface AgentUse {
  readonly namespace: string;
  readonly name: string;
  readonly role: string;
  readonly state: string;
  /** Thousandths of a processor. Absent: it has no session, or nothing can be told of it. */
  readonly cpuMilli?: number;
  readonly memoryBytes?: number;
  readonly tokens: number;
  readonly costUSD: number;
  readonly hook?: string;
}

const SORTS: Readonly<Record<string, (a: AgentUse, b: AgentUse) => number>> = {
  name: (a, b) => a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name),
  cpu: (a, b) => (b.cpuMilli ?? -1) - (a.cpuMilli ?? -1),
  memory: (a, b) => (b.memoryBytes ?? -1) - (a.memoryBytes ?? -1),
  tokens: (a, b) => b.tokens - a.tokens,
  cost: (a, b) => b.costUSD - a.costUSD,
};
const USE_KINDS = ["agents", "nodes"] as const;

/** `top agents` and `top nodes`: what they take of the machine now, and of tokens and money so far. */
export async function runUse(what: string, input: CommandInput, context: CommandContext): Promise<number> {
  const asJson = textFlag(input, "output") === "json";
  const api = context.api();
  const print = (
    rows: readonly object[],
    headers: readonly string[],
    cells: readonly (readonly string[])[],
  ): number => {
    const { streams, env } = context;
    if (asJson) streams.out(`${JSON.stringify(rows, undefined, 2)}\n`);
    else if (rows.length === 0) streams.err("No resources found\n");
    else
      streams.out(
        tableLines(
          { headers, rows: cells },
          {
            withHeaders: input.flags["noHeaders"] !== true,
            colours: coloursWanted(streams.outIsTerminal, env),
            columns: streams.columns,
          },
        ),
      );
    return EXIT.done;
  };
  switch (what) {
    case "agents":
    case "agent":
    case "pods":
    case "sessions": {
      const rows = await agentUses(api, scopeOf(input));
      const sorted = rows.toSorted(SORTS[textFlag(input, "sortBy") ?? "name"]);
      const headers = ["NAMESPACE", "NAME", "ROLE", "STATE", "CPU(cores)", "MEMORY(bytes)", "TOKENS", "COST", "HOOK"];
      return print(sorted, headers, sorted.map(agentCells));
    }
    case "nodes":
    case "node": {
      const rows = await nodeUses(api);
      return print(
        rows,
        ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"],
        rows.map((row) => [
          row.name,
          milliText(row.cpuMilli),
          percent(row.cpuMilli, row.capacityMilli),
          memoryText(row.memoryBytes),
          percent(row.memoryBytes, row.capacityBytes),
        ]),
      );
    }
    default:
      throw usageError(
        `\`town top\` shows no ${what}`,
        `\`town top\` alone is the live view; \`town top ${USE_KINDS.join("` or `town top ")}\` prints a table`,
      );
  }
}

async function agentUses(api: Api, scope: Scope): Promise<readonly AgentUse[]> {
  const type = (await discoverTypes(api)).find(({ kind }) => kind === "Agent");
  const [agents, measured] = await Promise.all([
    type === undefined ? [] : listObjects(api, type, scope).then(({ items }) => items),
    metrics(api, "pods"),
  ]);
  const uses = new Map(measured.map((pod) => [placeOf(pod), usageOf((pod as { containers?: unknown }).containers)]));
  return agents.map(({ metadata, spec, status }) => {
    const fields = fieldsOf(status);
    const used = fieldsOf(fields["usage"]);
    const hook = textOf(fields["hook"]);
    return {
      namespace: metadata.namespace ?? "hq",
      name: metadata.name,
      role: textOf(spec?.["role"]) ?? "",
      state: textOf(fields["state"]) ?? "Unknown",
      ...uses.get(`${metadata.namespace ?? "hq"}/${metadata.name}`),
      tokens: numberOf(used["total"]),
      costUSD: numberOf(used["costUSD"]),
      ...(hook === undefined ? {} : { hook }),
    };
  });
}

async function nodeUses(api: Api) {
  const [measured, nodes] = await Promise.all([metrics(api, "nodes"), list(api, "/api/v1/nodes")]);
  return measured.map((node) => {
    const allocatable = fieldsOf(
      fieldsOf(nodes.find(({ metadata }) => metadata.name === node.metadata.name)?.status)["allocatable"],
    );
    return {
      name: node.metadata.name,
      ...quantities((node as { usage?: unknown }).usage),
      capacityMilli: Number(allocatable["cpu"] ?? 0) * 1_000,
      capacityBytes: kibBytes(allocatable["memory"]),
    };
  });
}

async function metrics(api: Api, plural: string): Promise<readonly ApiObject[]> {
  return await list(api, `/apis/metrics.k8s.io/v1beta1/${plural}`);
}

async function list(api: Api, path: string): Promise<readonly ApiObject[]> {
  return bodyOf<{ readonly items: readonly ApiObject[] }>(await api.send({ method: "GET", path })).items;
}

function usageOf(containers: unknown): { readonly cpuMilli: number; readonly memoryBytes: number } {
  const [first] = Array.isArray(containers) ? containers : [];
  return quantities(fieldsOf(first)["usage"]);
}

/** This server writes `12m` and `3456Ki`. */
function quantities(usage: unknown): { readonly cpuMilli: number; readonly memoryBytes: number } {
  const { cpu, memory } = fieldsOf(usage);
  return { cpuMilli: Number(String(cpu).replace(/m$/, "")) || 0, memoryBytes: kibBytes(memory) };
}

function kibBytes(text: unknown): number {
  return (Number(String(text).replace(/Ki$/, "")) || 0) * 1024;
}

function agentCells(row: AgentUse): readonly string[] {
  return [
    row.namespace,
    row.name,
    row.role,
    row.state,
    milliText(row.cpuMilli),
    memoryText(row.memoryBytes),
    tokensText(row.tokens) || "0",
    costText(row.costUSD) || "$0.00",
    row.hook ?? "<none>",
  ];
}

function milliText(milli: number | undefined): string {
  return milli === undefined ? "<none>" : `${milli}m`;
}

function memoryText(bytes: number | undefined): string {
  return bytes === undefined ? "<none>" : `${Math.round(bytes / 1024 ** 2)}Mi`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "<unknown>" : `${Math.round((part / whole) * 100)}%`;
}
