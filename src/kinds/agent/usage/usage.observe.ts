import type { LoopPorts } from "../../../ports/loop-ports.ts";
import type { TownObject } from "../../../resource/object-meta.ts";
import { agentRecord } from "../../../work/agent-record.ts";
import { type Conversation, conversationsOf } from "../../../work/conversation.ts";
import { usagePlace } from "../../../work/usage-places.ts";
import type { ProviderSpec } from "../../provider/provider.schema.ts";
import type { AgentSpec, AgentStatus } from "../agent.schema.ts";

export type UsageAgent = TownObject<AgentSpec, AgentStatus>;

/** What the program wrote of one conversation. */
export interface UsageRecord {
  readonly session: string;
  readonly path: string;
  /** A later conversation has begun: nothing is added any more. */
  readonly isOver: boolean;
  /** Bytes now (none: the file is gone), and bytes that were looked at. */
  readonly size: number;
  readonly seen: number;
  /** When it was looked at last. */
  readonly readMs: number;
}

export interface UsageObserved {
  readonly now: number;
  readonly running: boolean;
  /** Records that may hold something new, newest first. */
  readonly records: readonly UsageRecord[];
}

export async function observeUsage(object: UsageAgent, ports: LoopPorts): Promise<UsageObserved> {
  const namespace = object.metadata.namespace ?? "hq";
  const graph = ports.graphs.graph(namespace);
  const agent = graph === undefined ? undefined : agentRecord(graph, object.metadata.name);
  const session = ports.objects.get({ kind: "Session", namespace, name: object.metadata.name });
  const conversations = agent === undefined ? [] : conversationsOf(agent);
  const records = await Promise.all(
    conversations.map(async (conversation, index): Promise<UsageRecord | undefined> => {
      const path = readable(conversation, ports);
      const place = agent === undefined ? undefined : usagePlace(agent, conversation.session);
      if (path === undefined || place === undefined || place.final === true) return undefined;
      const stat = await ports.files.stat(path);
      if (stat === undefined && index === 0) return undefined;
      return {
        session: conversation.session,
        path,
        isOver: index > 0,
        size: stat?.kind === "File" ? stat.size : 0,
        seen: place.seen,
        readMs: place.atMs,
      };
    }),
  );
  return {
    now: ports.clock.now(),
    running: (session?.status as { readonly state?: string } | undefined)?.state === "Running",
    records: records.filter((record) => record !== undefined),
  };
}

/** Path of a record whose form is known. */
function readable(conversation: Conversation, ports: LoopPorts): string | undefined {
  return usageOfProvider(conversation.provider, ports) === undefined ? undefined : conversation.transcript;
}

export function usageOfProvider(provider: string, ports: Pick<LoopPorts, "objects">): ProviderSpec["usage"] {
  const object = ports.objects.get({ kind: "Provider", name: provider }) as TownObject<ProviderSpec> | undefined;
  return object?.spec.usage;
}
