import { formulaOf } from "../../src/domain/formulas/formula.ts";
import type { BeadRecord } from "../../src/domain/work-graph/bead.ts";
import { META } from "../../src/domain/work-graph/bead.ts";
import type { PlannedEvent } from "../../src/resource/controller.ts";
import type { LoopPorts } from "../../src/ports/loop-ports.ts";
import { silentLog } from "../../src/ports/log.ts";
import type { Repository } from "../../src/ports/git.ts";
import type { NewBead, WorkGraph } from "../../src/ports/work-graph.ts";
import type { Caller } from "../../src/resource/caller.ts";
import type { ObjectKey } from "../../src/resource/object-meta.ts";
import type { Verb, VerbResult } from "../../src/resource/verb.ts";
import { declareAgent, nextGeneration, taskBranch } from "../../src/work/agent-record.ts";
import { hookBead } from "../../src/work/hooking.ts";
import type { MemoryGit } from "../../src/simulation/memory-git.ts";
import { graphWorld } from "../graph/graph-world.ts";
import { storesOf } from "../graph/stores.ts";

export const overseer: Caller = { name: "overseer", role: "admin", email: "pat@example.org" };

/** One more object of the made-up API. */
export interface SiteObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: Record<string, unknown>;
  status?: Record<string, unknown>;
}

/** A town with the rig `api` and the agent `api/polecats/toast`, for verbs to act on; loops do not run. */
export interface VerbSite {
  readonly ports: LoopPorts;
  readonly api: WorkGraph;
  readonly hq: WorkGraph;
  readonly git: MemoryGit;
  readonly clone: Repository;
  readonly sandbox: string;
  readonly objects: SiteObject[];
  readonly events: { readonly about: ObjectKey; readonly event: PlannedEvent & { readonly actor?: string } }[];
  /** A session of toast at its newest generation. */
  caller(permissions?: readonly string[]): Promise<Caller>;
  bead(bead: NewBead): Promise<BeadRecord>;
  /** Puts a bead on toast's hook with its molecule and its worktree, under a new generation. */
  hooked(bead?: Partial<NewBead>): Promise<BeadRecord>;
  call(verb: Verb, args?: Readonly<Record<string, unknown>>, caller?: Caller): Promise<VerbResult>;
}

export const TOAST = "api/polecats/toast";
const SANDBOX = "/town/rigs/api/polecats/toast";
const LOOP = { actor: "loop/workers" };
const AGENT_TOAST = { name: "toast", identity: TOAST, role: "polecat", pool: "polecats", desired: "OnWork" } as const;

const FORMULA = formulaOf(
  {
    formula: "work",
    steps: [
      { id: "implement", title: "Do the work", description: "Read it first.", acceptance: "It is committed." },
      { id: "verify", title: "Look at it", needs: ["implement"] },
      { id: "submit", title: "Hand it in", needs: ["verify"] },
    ],
  },
  "test",
);

export async function verbSite(): Promise<VerbSite> {
  const world = await graphWorld();
  const { clock, git, random } = world;
  const { files, processes, graphs } = storesOf(world);
  const author = { name: "Pat", email: "pat@example.org" };
  await files.makeDirectory("/project");
  const project = await git.init("/project", { bare: false, branch: "main" });
  await git.writeFile("/project", "README.md", "project\n");
  await project.commitAll("/project", "begin\n", author, author);
  await files.makeDirectory("/state/rigs");
  const clone = await git.cloneBare("/project", "/state/rigs/api.git");
  const hq = await graphs.open("hq", await world.repository("/town"), { prefix: "hq", branch: "town/work" });
  const api = await graphs.open("api", clone, { prefix: "api", branch: "town/work" });
  const objects: SiteObject[] = [
    { kind: "Rig", metadata: { name: "api" }, spec: { path: "/project", push: { work: false, target: false } } },
    {
      kind: "Role",
      metadata: { name: "polecat" },
      spec: { lifecycle: "Ephemeral", plural: "polecats", prompt: "You are a polecat.", onContextFull: "HandOff" },
    },
    {
      kind: "AgentPool",
      metadata: { name: "polecats", namespace: "api" },
      spec: { role: "polecat", provider: "shell", formula: "work" },
    },
    { kind: "Agent", metadata: { name: "toast", namespace: "api" }, spec: { role: "polecat", identity: TOAST } },
  ];
  const events: VerbSite["events"] = [];
  const ports = {
    clock,
    random,
    files,
    git,
    processes,
    graphs: graphs.directory,
    log: silentLog,
    formulas: { get: (name: string) => (name === "work" ? FORMULA : undefined), names: () => ["work"] },
    events: { record: (about: ObjectKey, event: PlannedEvent) => void events.push({ about, event }) },
    objects: {
      get: ({ kind, namespace, name }: ObjectKey) =>
        objects.find(
          (each) => each.kind === kind && each.metadata.name === name && each.metadata.namespace === namespace,
        ),
      list: (kind: string, options: { readonly namespace?: string } = {}) =>
        objects.filter(
          (each) =>
            each.kind === kind && (options.namespace === undefined || each.metadata.namespace === options.namespace),
        ),
    },
    view: { ready: true, frozen: false, sight: () => ({ state: "Absent" }) },
    layout: {
      root: "/town",
      state: "/state",
      clone: (rig: string) => `/state/rigs/${rig}.git`,
      sandbox: (namespace: string, role: string, agent: string) => `/town/rigs/${namespace}/${role}/${agent}`,
      sessionToken: (namespace: string, agent: string) => `/state/tokens/${namespace}-${agent}`,
      socket: "/run/api.sock",
    },
  } as unknown as LoopPorts;
  await api.transact(LOOP, (tx) => declareAgent(tx, "api", AGENT_TOAST));
  const bead = (fields: NewBead): Promise<BeadRecord> =>
    api.transact({ actor: "overseer" }, (tx) => tx.create({ owner: "pat@example.org", ...fields }));
  return {
    ports,
    api,
    hq,
    git,
    clone,
    sandbox: SANDBOX,
    objects,
    events,
    bead,
    caller: async (permissions = ["WorkHook", "CreateBeads", "CloseBeads", "SendMail"]) => {
      const generation = await api.transact(LOOP, (tx) => nextGeneration(tx, "toast", undefined));
      return { name: TOAST, role: "agent", session: { namespace: "api", agent: "toast", generation }, permissions };
    },
    hooked: async (fields = {}) => {
      const made = await bead({ title: "the work", description: "Make it so.", ...fields });
      await api.transact(LOOP, (tx) =>
        hookBead(tx, { bead: made.id, agent: AGENT_TOAST, prefix: "api", formula: FORMULA }),
      );
      const branch = taskBranch("api", "toast", made.id);
      const base = (await clone.resolve("refs/remotes/origin/main")) ?? "";
      await clone.addWorktree({ path: SANDBOX, branch, commit: base });
      await api.transact(LOOP, (tx) =>
        tx.setMetadata(made.id, { [META.sandbox]: { agent: "toast", attempt: 0, base, branch } }),
      );
      return api.get(made.id) ?? made;
    },
    call: (verb, args = {}, caller = overseer) => verb.run({ caller, args, signal: new AbortController().signal }),
  };
}
