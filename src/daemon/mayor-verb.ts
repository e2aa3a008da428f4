import { z } from "zod";
import { ApiStatusError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { Caller } from "../resource/caller.ts";
import { conditionOf, READY } from "../resource/condition.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { Verb } from "../resource/verb.ts";
import { argumentsOf } from "../verbs/arguments.ts";
import { mailSendVerb } from "../verbs/mail-writing.ts";
import { attachVerb } from "../verbs/terminal.ts";
import { agentRecord } from "../work/agent-record.ts";
import type { InternalCalls } from "./internal-calls.ts";

const mayorArguments = z.strictObject({
  text: z.string().min(1).max(100_000).optional(),
  /** Made again (its answer was lost), the text is not delivered twice. */
  request: z.string().min(8).max(100).optional(),
});

/** The command's own word: the agent of that name, of the role of that name, in the town's own namespace. */
const MAYOR = "mayor";
const POOLS = "/apis/town.dev/v1alpha1/namespaces/hq/agentpools";
const IDENTITY_WITHIN_MS = 60_000;
const SESSION_WITHIN_MS = 90_000;
const POLL_MS = 100;

/**
 * `town mayor [TEXT]`: with a text, delivers it as mail; without, answers with the terminal to take. A town without a
 * mayor gets one: a pool of the role `mayor`, written and committed as any other manifest.
 */
export function mayorVerb(ports: LoopPorts, calls: Pick<InternalCalls, "send">): Verb {
  return {
    name: "mayor",
    summary: "talk to the mayor: hand over a text, or take the terminal",
    needs: "edit",
    async run({ caller, args, signal }) {
      const { text, request } = argumentsOf("mayor", mayorArguments, args);
      const made = await ensurePool(caller, ports, calls);
      const notice = made === undefined ? "" : `AgentPool/${MAYOR} made in hq with provider ${made}\n`;
      if (text !== undefined) {
        await waitFor(IDENTITY_WITHIN_MS, ports, signal, () => identityExists(ports));
        const sent = await mailSendVerb(ports).run({
          caller,
          args: { to: [MAYOR], message: text, urgent: true, ...(request === undefined ? {} : { request }) },
          signal,
        });
        return { ...sent, text: `${notice}${sent.text}\nAnswers come to: town mail inbox` };
      }
      await waitFor(SESSION_WITHIN_MS, ports, signal, () => sessionRuns(ports));
      const attached = await attachVerb(ports).run({ caller, args: { agent: MAYOR }, signal });
      return { ...attached, text: `${notice}${attached.text}` };
    },
  };
}

/** Provider of the pool that was made; undefined when there is a mayor already. */
async function ensurePool(
  caller: Caller,
  ports: LoopPorts,
  calls: Pick<InternalCalls, "send">,
): Promise<string | undefined> {
  const pools = ports.objects.list("AgentPool", { namespace: "hq" });
  const pool = pools.find((each) => each.spec["role"] === MAYOR);
  if (pool !== undefined) {
    if (pool.spec["replicas"] === 0)
      throw new ApiStatusError(409, "ScaledToZero", `AgentPool/${pool.metadata.name} in hq asks for no mayor`, {
        hint: `town scale agentpool/${pool.metadata.name} -n hq --replicas 1`,
      });
    return undefined;
  }
  const provider = usualProvider(ports.objects.list("AgentPool"));
  const { status, body } = await calls.send(caller, "POST", POOLS, {
    apiVersion: "town.dev/v1alpha1",
    kind: "AgentPool",
    metadata: { name: MAYOR, namespace: "hq" },
    spec: { role: MAYOR, provider, replicas: 1 },
  });
  if (status < 300 || status === 409) return provider;
  const message = typeof body["message"] === "string" ? body["message"] : `HTTP ${status}`;
  throw new ApiStatusError(status, "MayorNotMade", `the pool of the mayor could not be written: ${message}`, {
    hint: "town status",
  });
}

/** What most pools run; `shell`, which needs nothing, in a town without pools. */
function usualProvider(pools: readonly TownObject[]): string {
  const counts = new Map<string, number>();
  for (const pool of pools) {
    const provider = pool.spec["provider"];
    if (typeof provider === "string") counts.set(provider, (counts.get(provider) ?? 0) + 1);
  }
  const [most] = [...counts].toSorted(([a, many], [b, more]) => more - many || a.localeCompare(b));
  return most?.[0] ?? "shell";
}

function identityExists(ports: LoopPorts): boolean {
  const graph = ports.graphs.graph("hq");
  return graph !== undefined && agentRecord(graph, MAYOR) !== undefined;
}

function sessionRuns(ports: LoopPorts): boolean {
  const session = ports.objects.get({ kind: "Session", namespace: "hq", name: MAYOR });
  return (session?.status as { readonly state?: string } | undefined)?.state === "Running";
}

async function waitFor(withinMs: number, ports: LoopPorts, signal: AbortSignal, holds: () => boolean): Promise<void> {
  const deadline = ports.clock.monotonicMs() + withinMs;
  while (!holds()) {
    if (signal.aborted || ports.clock.monotonicMs() >= deadline) throw notThere(ports);
    await ports.clock.sleep(POLL_MS, signal);
  }
}

/** Why there is no mayor yet, as its agent or its pool says. */
function notThere(ports: LoopPorts): ApiStatusError {
  const about =
    ports.objects.get({ kind: "Agent", namespace: "hq", name: MAYOR }) ??
    ports.objects.list("AgentPool", { namespace: "hq" }).find((pool) => pool.spec["role"] === MAYOR);
  const ready = about === undefined ? undefined : conditionOf(about, READY);
  const why = ready === undefined ? "its pool is not reconciled yet" : `${ready.reason}: ${ready.message}`;
  return new ApiStatusError(503, "MayorNotReady", `the mayor is not there yet: ${why}`, {
    hint: "town describe agent mayor -n hq",
  });
}
