import type { TownObject } from "../resource/object-meta.ts";
import type { EnginePorts } from "./engine-ports.ts";

export interface Resync {
  readonly ports: Pick<EnginePorts, "clock" | "random" | "objects">;
  readonly kind: string;
  readonly resyncMs: number;
  readonly signal: AbortSignal;
  readonly wake: (object: TownObject) => void;
}

/** A resync is spread over parts of at least this length. */
const PART_MS = 10_000;
const MAX_PARTS = 60;

/** Wakes every object of a kind once per resync time, in parts, so that there is no burst and few timers, until aborted. */
export async function resyncForever({ ports, kind, resyncMs, signal, wake }: Resync): Promise<void> {
  const { clock, random, objects } = ports;
  const parts = Math.max(1, Math.min(MAX_PARTS, Math.floor(resyncMs / PART_MS)));
  await clock.sleep((resyncMs / parts) * random.float(), signal);
  for (let part = 0; !signal.aborted; part = (part + 1) % parts) {
    for (const object of objects.list(kind)) if (partOf(object.metadata.uid, parts) === part) wake(object);
    await clock.sleep(resyncMs / parts, signal);
  }
}

/** Which part an object belongs to: from the end of its uid, which is as good as random. */
function partOf(uid: string, parts: number): number {
  const { length } = uid;
  return (uid.charCodeAt(length - 1) + 37 * uid.charCodeAt(length - 2) + 1_369 * uid.charCodeAt(length - 3)) % parts;
}
