import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { ObjectStore, TruthWriter } from "../ports/object-store.ts";
import type { Events } from "../ports/objects.ts";
import type { Random } from "../ports/random.ts";
import type { Truth } from "../resource/kind-definition.ts";
import type { KindRegistry } from "../resource/kind-registry.ts";

export type TruthWriters = Partial<Readonly<Record<Truth, TruthWriter>>>;

export interface StoreOptions {
  readonly registry: KindRegistry;
  readonly clock: Clock;
  readonly random: Random;
  /** Default: silent. */
  readonly log?: Log;
  /** Where status, events and bookkeeping outlive the process. Absent: nowhere. */
  readonly persistence?: { readonly files: Files; readonly directory: string };
  /** Asked at each `delete`, so writers may be made after the store. A kind without one is deleted in the store itself. */
  readonly writers?: () => TruthWriters;
  /**
   * Changes kept for watches that resume, with the objects as they were: some kilobytes each. Default 5,000: minutes of a
   * town whose 30 agents all work. Who was away for longer lists again.
   */
  readonly ringSize?: number;
}

/** The object store with what the composition root and the collection loop need besides the port. */
export interface Store extends ObjectStore, Events {
  /** All truths were read once: owner-reference collection may begin. Until then nothing is collected. */
  startCollection(): void;
  /** Nothing is collected from now on, until it is started again. */
  stopCollection(): void;
  /** One look at everything for garbage that no event announced; resolves when done. For the collection loop's resync. */
  collect(): Promise<void>;
  /** False while the journal cannot be written (disk full …). */
  readonly durable: boolean;
}
