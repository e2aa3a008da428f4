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

function writtenHold(provider: TownObject | undefined): ProviderHold | undefined {
  return (provider?.status as { readonly hold?: ProviderHold } | undefined)?.hold;
}

/**
 * The hold that is in force. One that begins ahead of the clock was written before the clock was set back, and would last
 * by so much longer: it counts no more, and is said anew where it still holds.
 */
export function holdOf(provider: TownObject | undefined, now: number): ProviderHold | undefined {
  const hold = writtenHold(provider);
  if (hold === undefined || Date.parse(hold.until) <= now || Date.parse(hold.since) > now) return undefined;
  return hold;
}

/** Lets new sessions of a provider wait. Many agents see one limit: who says nothing new writes nothing. */
export async function holdProvider(
  ports: LoopPorts,
  name: string,
  hold: Pick<ProviderHold, "reason" | "agent" | "message"> & { readonly untilMs: number },
): Promise<void> {
  const now = ports.clock.now();
  const former = holdOf(ports.objects.get({ kind: "Provider", name }), now);
  const isSame = former?.reason === hold.reason;
  if (isSame && hold.untilMs <= Date.parse(former.until) + SAME_MS) return;
  const { untilMs, ...said } = hold;
  const since = isSame ? former.since : timestamp(now);
  await ports.objects.patchStatus({ kind: "Provider", name }, { hold: { ...said, since, until: timestamp(untilMs) } });
}

/** The limit is over: new sessions start, and those that wait at their prompts are told to go on. */
export async function liftHold(ports: LoopPorts, name: string): Promise<void> {
  if (writtenHold(ports.objects.get({ kind: "Provider", name })) === undefined) return;
  const liftedTime = timestamp(ports.clock.now());
  await ports.objects.patchStatus({ kind: "Provider", name }, { hold: null, liftedTime });
}
