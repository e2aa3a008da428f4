import type { ObjectKey, TownObject } from "../../resource/object-meta.ts";

/** The agent to look at when a Session changes. */
export function agentOfSession(changed: TownObject): readonly ObjectKey[] {
  const { namespace } = changed.metadata;
  const agent = (changed.spec as { readonly agent?: string }).agent;
  return namespace === undefined || agent === undefined ? [] : [{ kind: "Agent", namespace, name: agent }];
}
