import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { ProcessIdentity, Processes } from "../ports/processes.ts";
import type { Random } from "../ports/random.ts";

interface QueuePorts {
  readonly files: Files;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Whoever stands in front for so long without moving is asked about: it may be dead. Those right behind do that; those
 * further back only when nobody seems to.
 */
const suspiciousAfterMs = { near: 100, far: 2_000 };
const near = 2;

/**
 * The order in which short commands take the lock of a store: a directory with one file for each that waits, named so that
 * they sort by when they came. It only spares them from racing each other; who holds the store is the lock's to say, so a
 * file too many or too few costs time and nothing else.
 */
export class LockQueue {
  readonly #directory: string;
  readonly #ports: QueuePorts;
  #ticket: string | undefined;
  #front: { readonly name: string; readonly sinceMs: number } | undefined;

  constructor(directory: string, ports: QueuePorts) {
    this.#directory = directory;
    this.#ports = ports;
  }

  /** Somebody waits. */
  async isBusy(): Promise<boolean> {
    return (await this.#names()).length > 0;
  }

  /** How many stand in front; the first call takes a place. Who died waiting is sent off when it stands at the front. */
  async place(): Promise<number> {
    const { files, processes, clock, random } = this.#ports;
    if (this.#ticket === undefined) {
      this.#ticket = `${String(clock.now()).padStart(15, "0")}-${random.base36(8)}`;
      await files.makeDirectory(this.#directory, { mode: 0o700 });
      await files.createExclusive(`${this.#directory}/${this.#ticket}`, JSON.stringify(await processes.self()), {
        mode: 0o600,
      });
    }
    const names = await this.#names();
    const mine = names.indexOf(this.#ticket);
    const [front] = names;
    // Somebody cleaned up behind us: the lock alone decides then.
    if (mine <= 0 || front === undefined) return 0;
    const now = clock.monotonicMs();
    if (this.#front?.name !== front) this.#front = { name: front, sinceMs: now };
    if (now - this.#front.sinceMs < suspiciousAfterMs[mine <= near ? "near" : "far"]) return mine;
    this.#front = { name: front, sinceMs: now };
    if (!(await this.#isGone(front))) return mine;
    await files.remove(`${this.#directory}/${front}`);
    return mine - 1;
  }

  /** Whoever took the lock, or gave up, makes room for the next. */
  async leave(): Promise<void> {
    if (this.#ticket === undefined) return;
    await this.#ports.files.remove(`${this.#directory}/${this.#ticket}`);
    this.#ticket = undefined;
  }

  async #isGone(name: string): Promise<boolean> {
    const text = await this.#ports.files.readText(`${this.#directory}/${name}`);
    if (text === undefined) return false;
    try {
      return (await this.#ports.processes.probe(JSON.parse(text) as ProcessIdentity)) === "Dead";
    } catch {
      // Killed while it wrote its file.
      return true;
    }
  }

  async #names(): Promise<readonly string[]> {
    return [...(await this.#ports.files.list(this.#directory))].sort();
  }
}
