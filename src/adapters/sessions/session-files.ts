import { chmod, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AdapterError, messageOf } from "../../errors/town-error.ts";
import type { ProcessIdentity } from "../../ports/processes.ts";
import type { ObservedSession, SessionLabels, SessionStart } from "../../ports/sessions.ts";
import { signal } from "../process-identity.ts";
import { OUTPUT_LOG_SCRIPT } from "./output-log.ts";

const FORMAT = 1;

let opened = 0;

/** What is remembered about a session on disk, so that a later controller can adopt or end it. */
export interface SessionRecord extends SessionLabels {
  readonly command: string;
  readonly startedAtMs: number;
  /** First process of the session; absent when the controller died before it could write it down. */
  readonly leader?: ProcessIdentity;
}

/**
 * The files of a runtime below its state directory (0700): records, shims, exit codes and logs. One controller writes.
 */
export class SessionFiles {
  readonly directory: string;
  /** For short-lived files of this object. */
  readonly scratch: string;

  constructor(directory: string) {
    opened += 1;
    this.directory = directory;
    this.scratch = join(directory, `scratch-${process.pid}-${opened}`);
  }

  /** Makes the scratch directory, and removes those whose process ended without doing it. */
  async makeScratch(): Promise<void> {
    for (const name of await readdir(this.directory)) {
      const pid = Number(/^scratch-(\d+)-\d+$/.exec(name)?.[1]);
      if (pid > 0 && signal(pid, 0) === "Gone") await rm(join(this.directory, name), { recursive: true, force: true });
    }
    await mkdir(this.scratch, { recursive: true, mode: 0o700 });
  }

  async removeScratch(): Promise<void> {
    await rm(this.scratch, { recursive: true, force: true });
  }

  async prepare(): Promise<void> {
    for (const each of ["", "records", "shims", "exits", "logs"]) {
      await mkdir(join(this.directory, each), { recursive: true, mode: 0o700 });
    }
    await chmod(this.directory, 0o700);
    await this.write(this.logScriptPath, OUTPUT_LOG_SCRIPT, 0o600);
  }

  get exitsDirectory(): string {
    return join(this.directory, "exits");
  }

  get logScriptPath(): string {
    return join(this.directory, "output-log.sh");
  }

  shimPath(name: string, generation: number): string {
    return join(this.directory, "shims", `${name}.${generation}.sh`);
  }

  exitPath(name: string, generation: number): string {
    return join(this.exitsDirectory, `${name}.${generation}`);
  }

  logPath(name: string, generation: number): string {
    return join(this.directory, "logs", `${name}.${generation}.log`);
  }

  /** Tells for which sessions a shim has left anything by now: one look for all of them. */
  exitsLeft(): (name: string, generation: number) => boolean {
    const names = new Set(readdirSync(this.exitsDirectory));
    return (name, generation) => names.has(`${name}.${generation}`);
  }

  /** Exit code that the shim left; undefined while there is none (or only its beginning). */
  exitCode(name: string, generation: number): number | undefined {
    try {
      const text = readFileSync(this.exitPath(name, generation), "utf8");
      return /^\d+\n$/.test(text) ? Number(text) : undefined;
    } catch {
      return undefined;
    }
  }

  async saveRecord(record: SessionRecord): Promise<void> {
    await this.write(this.#recordPath(record.name), `${JSON.stringify({ format: FORMAT, ...record })}\n`, 0o600);
  }

  /** Record of one session; undefined when there is none. Throws AdapterError `SessionRecordUnreadable`. */
  async record(name: string): Promise<SessionRecord | undefined> {
    const path = this.#recordPath(name);
    const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw unreadable(path, messageOf(error), error);
    });
    if (text === undefined) return undefined;
    return parseRecord(path, text);
  }

  /** All records; one that cannot be read is handed to `bad` and left alone. */
  async records(bad: (error: AdapterError) => void): Promise<readonly SessionRecord[]> {
    const found: SessionRecord[] = [];
    for (const file of (await readdir(join(this.directory, "records"))).sort()) {
      if (!file.endsWith(".json")) continue;
      try {
        const record = await this.record(file.slice(0, -".json".length));
        if (record !== undefined) found.push(record);
      } catch (error) {
        if (!(error instanceof AdapterError)) throw error;
        bad(error);
      }
    }
    return found;
  }

  /** Forgets a session: its record, shim and exit code. Its log stays until `removeOldLogs`. */
  async forget(name: string, generation: number): Promise<void> {
    await rm(this.shimPath(name, generation), { force: true });
    await rm(this.exitPath(name, generation), { force: true });
    if ((await this.record(name).catch(() => undefined))?.generation === generation) {
      await rm(this.#recordPath(name), { force: true });
    }
  }

  /** Removes the logs of all but the newest `keep` generations of a name. */
  async removeOldLogs(name: string, keep: number): Promise<void> {
    const pattern = /^(.+)\.(\d+)\.log(\.1)?$/;
    const own = (await readdir(join(this.directory, "logs")))
      .map((file) => ({ file, match: pattern.exec(file) }))
      .filter(({ match }) => match?.[1] === name)
      .map(({ file, match }) => ({ file, generation: Number(match?.[2]) }));
    const kept = new Set([...new Set(own.map((each) => each.generation))].sort((a, b) => b - a).slice(0, keep));
    for (const { file, generation } of own) {
      if (!kept.has(generation)) await rm(join(this.directory, "logs", file), { force: true });
    }
  }

  /** Readers see the old or the new content, never a mixture. */
  async write(path: string, text: string, mode: number): Promise<void> {
    const temporary = `${path}.${process.pid}.tmp`;
    const file = await open(temporary, "w", mode).catch((error: unknown) => {
      throw new AdapterError("SessionFileUnwritable", `Cannot write ${path}: ${messageOf(error)}`, { cause: error });
    });
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  }

  #recordPath(name: string): string {
    return join(this.directory, "records", `${name}.json`);
  }
}

function parseRecord(path: string, text: string): SessionRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(path, "it is not JSON", error);
  }
  if (typeof value !== "object" || value === null || !("format" in value)) throw unreadable(path, "it has no format");
  const { format, ...record } = value as { readonly format: unknown } & SessionRecord;
  if (format !== FORMAT) throw unreadable(path, `its format is ${String(format)}, this version reads ${FORMAT}`);
  if (typeof record.name !== "string" || typeof record.generation !== "number")
    throw unreadable(path, "it lacks a name or generation");
  return record;
}

function unreadable(path: string, why: string, cause?: unknown): AdapterError {
  return new AdapterError("SessionRecordUnreadable", `Cannot read the session record ${path}: ${why}`, {
    hint: "It was written by another version: stop that session with the version that started it, or remove the file.",
    cause,
  });
}

/** What a start will be remembered by, before its first process is known. */
export function recordOf(start: SessionStart, startedAtMs: number): SessionRecord {
  return { ...labelsOf(start), command: start.argv[0] ?? "", startedAtMs };
}

/** Name of the program without its directory. */
export function programName(record: SessionRecord): string {
  return record.command.slice(record.command.lastIndexOf("/") + 1);
}

/** The part of an observed session that its record knows. */
export function observedOfRecord(record: SessionRecord): Omit<ObservedSession, "state"> {
  return {
    ...labelsOf(record),
    ...(record.leader === undefined ? {} : { pid: record.leader.pid }),
    startedAtMs: record.startedAtMs,
  };
}

function labelsOf({ name, namespace, agent, role, generation, bead }: SessionLabels): SessionLabels {
  return { name, namespace, agent, role, generation, ...(bead === undefined ? {} : { bead }) };
}
