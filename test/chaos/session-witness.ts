import { readdirSync, readFileSync } from "node:fs";

export interface SeenSession {
  readonly name: string;
  readonly generation: number;
  readonly pids: readonly number[];
}

/** Sessions of a town by the mark in the environment of their living processes, read from /proc: nothing is asked of the town. */
export function sessionsOf(label: string): readonly SeenSession[] {
  const found = new Map<string, { name: string; generation: number; pids: number[] }>();
  for (const pid of readdirSync("/proc")) {
    const key = markOf(Number(pid), label);
    if (key === undefined) continue;
    const [name = "", generation = ""] = key.split("/");
    const session = found.get(key) ?? { name, generation: Number(generation), pids: [] };
    session.pids.push(Number(pid));
    found.set(key, session);
  }
  return [...found.values()];
}

function markOf(pid: number, label: string): string | undefined {
  if (!Number.isInteger(pid)) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    if (/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2))) return undefined;
    const mark = readFileSync(`/proc/${pid}/environ`, "latin1")
      .split("\0")
      .find((each) => each.startsWith("TOWN_SESSION_MARK="));
    const [of, ...key] = mark?.slice("TOWN_SESSION_MARK=".length).split("/") ?? [];
    return of === label ? key.join("/") : undefined;
  } catch {
    return undefined;
  }
}

/** Watches from outside that no agent ever has two living sessions. */
export class SessionWitness {
  readonly #label: string;
  readonly #timer: NodeJS.Timeout;
  readonly doubled: string[] = [];
  looks = 0;

  constructor(label: string, everyMs: number) {
    this.#label = label;
    this.#timer = setInterval(() => this.#look(), everyMs);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.looks += 1;
    const first = new Map<string, SeenSession>();
    for (const session of sessionsOf(this.#label)) {
      const other = first.get(session.name);
      first.set(session.name, session);
      // One look takes some milliseconds: only what two looks agree on lived at the same time.
      if (other !== undefined && this.#bothLive(other, session))
        this.doubled.push(`${session.name}: generations ${other.generation} and ${session.generation} at once`);
    }
  }

  #bothLive(a: SeenSession, b: SeenSession): boolean {
    const now = sessionsOf(this.#label);
    return [a, b].every((each) =>
      now.some(
        (other) =>
          other.name === each.name &&
          other.generation === each.generation &&
          each.pids.some((pid) => other.pids.includes(pid)),
      ),
    );
  }
}
