import type { LoopPorts } from "../ports/loop-ports.ts";
import type { TownObject } from "../resource/object-meta.ts";
import { timestamp } from "../resource/condition.ts";

/** Why new sessions of a provider wait. */
export interface ProviderHold {
  readonly reason: "RateLimited" | "AuthRequired" | "DialogOpen";
  /** RFC 3339; when it was seen first. */
  readonly since: string;
  /** RFC 3339. */
  readonly until: string;
  readonly agent: string;
  readonly message: string;
}

/** Later ends than this are news; sooner ones are other agents' words for the same. */
const SAME_MS = 60_000;

export function holdOf(provider: TownObject | undefined): ProviderHold | undefined {
  return (provider?.status as { readonly hold?: ProviderHold } | undefined)?.hold;
}

/** Lets new sessions of a provider wait. Many agents see one limit: who says nothing new writes nothing. */
export async function holdProvider(
  ports: LoopPorts,
  name: string,
  hold: Pick<ProviderHold, "reason" | "agent" | "message"> & { readonly untilMs: number },
): Promise<void> {
  const former = holdOf(ports.objects.get({ kind: "Provider", name }));
  const now = ports.clock.now();
  const lasts = former !== undefined && Date.parse(former.until) > now;
  if (lasts && former.reason === hold.reason && hold.untilMs <= Date.parse(former.until) + SAME_MS) return;
  const { untilMs, ...said } = hold;
  const since = lasts && former.reason === hold.reason ? former.since : timestamp(now);
  await ports.objects.patchStatus({ kind: "Provider", name }, { hold: { ...said, since, until: timestamp(untilMs) } });
}

/** The limit is over: new sessions start, and those that wait at their prompts are told to go on. */
export async function liftHold(ports: LoopPorts, name: string): Promise<void> {
  if (holdOf(ports.objects.get({ kind: "Provider", name })) === undefined) return;
  const liftedTime = timestamp(ports.clock.now());
  await ports.objects.patchStatus({ kind: "Provider", name }, { hold: null, liftedTime });
}
