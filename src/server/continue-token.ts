import { Buffer } from "node:buffer";
import type { TownObject } from "../resource/object-meta.ts";
import { isRecord } from "../resource/equality.ts";
import type { Clock } from "../ports/clock.ts";
import { badRequest, expired } from "./status.ts";

interface Pin {
  readonly items: readonly TownObject[];
  readonly resourceVersion: string;
  readonly usedAtMs: number;
}

/** A page's place in a pinned list. */
export interface Resumed extends Pin {
  readonly id: string;
  readonly offset: number;
}

const LIFETIME_MS = 5 * 60 * 1000;
const MAX_PINS = 128;

/**
 * Lists that are being read page by page. Each keeps the snapshot of its first page, so that no object is skipped or
 * shown twice; a pin costs one list of pointers. It is let go 5 minutes after its last page, or when 128 newer exist:
 * then the token answers 410 and the client lists anew.
 */
export class PinnedLists {
  readonly #clock: Clock;
  readonly #pins = new Map<string, Pin>();
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A new pin, without a token yet. */
  pin(items: readonly TownObject[], resourceVersion: string): string {
    this.#count += 1;
    const id = `${resourceVersion}-${this.#count}`;
    this.#pins.set(id, { items, resourceVersion, usedAtMs: this.#clock.monotonicMs() });
    this.#expire();
    return id;
  }

  token(id: string, offset: number): string {
    return Buffer.from(JSON.stringify({ v: 1, id, offset })).toString("base64url");
  }

  resume(token: string): Resumed {
    const { id, offset } = parseToken(token);
    this.#expire();
    const pin = this.#pins.get(id);
    if (pin === undefined) {
      throw expired(
        "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.",
      );
    }
    this.#pins.delete(id);
    this.#pins.set(id, { ...pin, usedAtMs: this.#clock.monotonicMs() });
    return { ...pin, id, offset };
  }

  release(id: string): void {
    this.#pins.delete(id);
  }

  #expire(): void {
    const oldest = this.#clock.monotonicMs() - LIFETIME_MS;
    for (const [id, pin] of this.#pins) {
      if (pin.usedAtMs > oldest && this.#pins.size <= MAX_PINS) return;
      this.#pins.delete(id);
    }
  }
}

function parseToken(token: string): { readonly id: string; readonly offset: number } {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (
      isRecord(value) &&
      value["v"] === 1 &&
      typeof value["id"] === "string" &&
      Number.isSafeInteger(value["offset"]) &&
      Number(value["offset"]) >= 0
    ) {
      return { id: value["id"], offset: Number(value["offset"]) };
    }
  } catch {
    // Not ours: answered below.
  }
  throw badRequest("continue key is not valid: it must come from the metadata of a former page");
}
