import type { LoopPorts } from "../../src/ports/loop-ports.ts";
import type { WorkGraph } from "../../src/ports/work-graph.ts";
import type { Caller } from "../../src/resource/caller.ts";
import type { Verb, VerbResult } from "../../src/resource/verb.ts";
import { declareAgent, nextGeneration } from "../../src/work/agent-record.ts";
import { graphWorld } from "../graph/graph-world.ts";
import { storesOf } from "../graph/stores.ts";

/** Stores `hq`, `api` and `web` with what verbs reach; no loops, no sessions. */
export interface VerbWorld {
  readonly ports: LoopPorts;
  graph(namespace: string): WorkGraph;
  /** Makes an agent at its first generation and answers with its session as a caller. */
  agent(identity: string, permissions?: readonly string[]): Promise<Caller>;
  /** Starts another session of it: older callers are fenced off. */
  nextSession(caller: Caller): Promise<Caller>;
  /** Lets virtual time pass. */
  pass(ms: number): Promise<void>;
  run(make: (ports: LoopPorts) => Verb, caller: Caller, args?: object): Promise<VerbResult>;
}

export const overseer: Caller = { name: "overseer", role: "admin", email: "pat@example.org" };

export async function verbWorld(): Promise<VerbWorld> {
  const world = await graphWorld();
  const { clock, random, git } = world;
  const { files, graphs } = storesOf(world);
  for (const namespace of ["hq", "api", "web"]) {
    const repository = await world.repository(`/repo/${namespace}`);
    await graphs.open(namespace, repository, { prefix: namespace, branch: "town/work" });
  }
  const ports = {
    clock,
    random,
    files,
    git,
    graphs: graphs.directory,
    objects: { get: () => undefined, list: () => [] },
    events: { record: () => undefined },
    layout: {
      sandbox: (namespace: string, role: string, agent: string) => `/town/rigs/${namespace}/${role}/${agent}`,
    },
  } as unknown as LoopPorts;
  const graph = (namespace: string): WorkGraph => {
    const found = graphs.directory.graph(namespace);
    if (found === undefined) throw new Error(`no store ${namespace}`);
    return found;
  };
  const session = (identity: string, generation: number, permissions: readonly string[]): Caller => {
    const parts = identity.split("/");
    const namespace = parts.length === 1 ? "hq" : (parts[0] ?? "hq");
    const agent = parts.at(-1) ?? identity;
    return { name: identity, role: "agent", session: { namespace, agent, generation }, permissions };
  };
  const raise = async (caller: Caller): Promise<number> =>
    graph(caller.session?.namespace ?? "hq").transact({ actor: "loop/workers" }, (tx) =>
      nextGeneration(tx, caller.session?.agent ?? "", undefined),
    );
  return {
    ports,
    graph,
    async agent(identity, permissions = ["WorkHook", "SendMail"]) {
      const caller = session(identity, 0, permissions);
      const { namespace, agent: name } = caller.session ?? { namespace: "hq", agent: identity };
      await graph(namespace).transact({ actor: "loop/pools" }, (tx) =>
        declareAgent(tx, namespace, { name, identity, role: "polecat", pool: "polecats", desired: "OnWork" }),
      );
      return session(identity, await raise(caller), permissions);
    },
    nextSession: async (caller) => session(caller.name, await raise(caller), caller.permissions ?? []),
    pass: async (ms) => {
      await clock.advance(ms);
    },
    run: async (make, caller, args = {}) =>
      make(ports).run({ caller, args: args as Record<string, unknown>, signal: new AbortController().signal }),
  };
}
