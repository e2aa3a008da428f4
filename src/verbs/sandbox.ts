import { z } from "zod";
import { ApiStatusError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { Verb, VerbResult } from "../resource/verb.ts";
import { type AddressedAgent, agentNamed, allAgents } from "../work/agent-address.ts";
import { hookOf } from "../work/agent-record.ts";
import { MERGE } from "../work/submission.ts";
import { pinRef, sandboxFact } from "../work/sandbox-fact.ts";
import { counted } from "../domain/text/counted.ts";
import { sessionOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";
import { sandboxPath, sandboxPlace, type SandboxPlace, targetOf } from "./sandbox-place.ts";

const sandboxArguments = z.strictObject({ agent: z.string().min(1).optional() });

/** What `town sandbox` says of one worktree. */
interface SandboxState {
  readonly agent: string;
  readonly path: string;
  readonly branch: string | null;
  readonly head: string | null;
  readonly base: string | null;
  readonly bead: string | null;
  readonly changed: readonly string[];
  readonly untracked: readonly string[];
  /** Commits since base. */
  readonly commits: number;
  readonly inProgress: string | null;
  /** Kept: the head is pinned, or nothing was committed since the base or the target branch, so that removing the worktree would lose no commit. */
  readonly kept: boolean;
}

/** `town sandbox [AGENT]`: path, branch, base and what is not safe yet; in a session, the own one. */
export function sandboxVerb(ports: LoopPorts): Verb {
  return {
    name: "sandbox",
    summary: "where an agent works: path, branch, state",
    needs: "agent",
    async run({ caller, args }) {
      const { agent: named } = argumentsOf("sandbox", sandboxArguments, args);
      const session = caller.session === undefined ? undefined : sessionOf("sandbox", caller, ports);
      if (named === undefined && session === undefined)
        throw new ApiStatusError(400, "BadRequest", "town sandbox: outside a session you must say whose", {
          hint: "town sandbox AGENT, or all: town sandbox list",
        });
      const agent =
        named === undefined && session !== undefined ? session : agentNamed(named ?? "", ports, session?.namespace);
      const place = await sandboxPlace(agent, ports);
      if (place === undefined)
        throw new ApiStatusError(
          404,
          "NoSandbox",
          `${agent.identity} has no sandbox at ${sandboxPath(agent, ports)} now`,
          {
            hint: `town hook ${agent.identity}`,
          },
        );
      return answerOf(await stateOf(agent, place, ports));
    },
  };
}

/** `town sandbox list`: every worktree of an agent there is. */
export function sandboxListVerb(ports: LoopPorts): Verb {
  return {
    name: "sandbox list",
    summary: "every agent's worktree with its branch and state",
    needs: "view",
    async run({ args }) {
      argumentsOf("sandbox list", z.strictObject({}), args);
      const states: SandboxState[] = [];
      for (const agent of allAgents(ports)) {
        const place = await sandboxPlace(agent, ports);
        if (place !== undefined) states.push(await stateOf(agent, place, ports));
      }
      const rows = [
        ["AGENT", "BEAD", "STATE", "COMMITS", "PATH"],
        ...states.map((state) => [
          state.agent,
          state.bead ?? "<none>",
          wordOf(state),
          String(state.commits),
          state.path,
        ]),
      ];
      const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
      const text = rows.map((row) =>
        row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("   ")
          .trimEnd(),
      );
      return { text: states.length === 0 ? "no agent has a sandbox now" : text.join("\n"), data: states };
    },
  };
}

async function stateOf(
  agent: Pick<AddressedAgent, "identity" | "graph" | "namespace">,
  { path, repository, status }: SandboxPlace,
  ports: LoopPorts,
): Promise<SandboxState> {
  const bead = hookOf(agent.graph, agent.identity);
  const { head } = status;
  const target = bead === undefined ? await targetOf(agent.namespace, repository, ports) : undefined;
  const base =
    target === undefined || head === undefined ? sandboxFact(bead)?.base : await repository.mergeBase(target, head);
  const commits = head === undefined || base === undefined ? [] : await repository.log(base, head, 1_000);
  const kept =
    head === undefined ||
    commits.length === 0 ||
    (bead !== undefined && (await repository.resolve(pinRef(bead.id, head))) === head) ||
    agent.graph.list({ type: ["merge-request"], metadata: { [MERGE.head]: head } }).length > 0;
  return {
    agent: agent.identity,
    path,
    branch: status.branch?.replace("refs/heads/", "") ?? null,
    head: head ?? null,
    base: base ?? null,
    bead: bead?.id ?? null,
    changed: status.changed,
    untracked: status.untracked,
    commits: commits.length,
    inProgress: status.inProgress ?? null,
    kept,
  };
}

function wordOf(state: SandboxState): string {
  if (state.inProgress !== null) return state.inProgress;
  if (state.changed.length + state.untracked.length > 0) return "Dirty";
  return state.kept ? "Clean" : "Unsubmitted";
}

function answerOf(state: SandboxState): VerbResult {
  const lines = [
    state.path,
    `branch  ${state.branch ?? "none (detached)"}`,
    `head    ${state.head?.slice(0, 12) ?? "none"}${state.base === null ? "" : `, ${counted(state.commits, "commit")} since ${state.base.slice(0, 12)}`}`,
    `bead    ${state.bead ?? "none"}`,
    `state   ${explained(state)}`,
  ];
  return { text: lines.join("\n"), data: state };
}

function explained(state: SandboxState): string {
  const dirty = state.changed.length + state.untracked.length;
  if (state.inProgress !== null) return `a ${state.inProgress.toLowerCase()} is in progress`;
  if (dirty > 0)
    return `${counted(state.changed.length, "file")} changed and ${state.untracked.length} new, not committed`;
  return state.kept ? "clean" : "everything is committed, nothing is submitted yet: town done";
}
