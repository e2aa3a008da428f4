import { AdapterError } from "../../errors/town-error.ts";
import type { ByteQueue } from "./byte-queue.ts";
import type { GitCommand, GitPlace } from "./git-command.ts";
import { GitService, type GitServiceOptions } from "./git-service.ts";

export interface ObjectInfo {
  readonly id: string;
  readonly type: string;
  readonly size: number;
}

/** What git says last when it ends because an object is not what its name says (object-file.c, streaming.c). */
const damaged =
  /(?:loose|packed) object [0-9a-f]+ \(stored in .*\) is corrupt|unable to (?:unpack|parse) [0-9a-f]+ header|unable to stream [0-9a-f]+ to stdout/;

export interface RawObject extends ObjectInfo {
  readonly body: Buffer;
}

/** Reads objects of one repository through one `git cat-file --batch-command` (git >= 2.36). */
export class ObjectReader {
  readonly service: GitService;

  constructor(command: GitCommand, place: GitPlace, options?: GitServiceOptions) {
    this.service = new GitService(command, ["cat-file", "--batch-command"], place, options);
  }

  /** `name` is an id or a revision without newline; undefined when git knows no such object. */
  async info(name: string): Promise<ObjectInfo | undefined> {
    return (await this.service.ask(`info ${name}\n`, () => readInfo)) ?? undefined;
  }

  async contents(name: string): Promise<RawObject | undefined> {
    try {
      return (await this.service.ask(`contents ${name}\n`, contentsReader)) ?? undefined;
    } catch (error) {
      // git ends where it finds one damaged that it has no other copy of.
      if (error instanceof AdapterError && damaged.test(error.message)) return undefined;
      throw error;
    }
  }
}

function readInfo(bytes: ByteQueue): ObjectInfo | null | undefined {
  const line = bytes.takeLine();
  return line === undefined ? undefined : parseInfo(line);
}

function contentsReader(): (bytes: ByteQueue) => RawObject | null | undefined {
  let info: ObjectInfo | undefined;
  return (bytes) => {
    if (info === undefined) {
      const line = bytes.takeLine();
      if (line === undefined) return undefined;
      const parsed = parseInfo(line);
      if (parsed === null) return null;
      info = parsed;
    }
    const body = bytes.take(info.size + 1);
    return body === undefined ? undefined : { ...info, body: body.subarray(0, info.size) };
  };
}

/** `<id> <type> <size>`; null for `<name> missing` and `<name> ambiguous`. */
function parseInfo(line: string): ObjectInfo | null {
  const match = /^([0-9a-f]{40,64}) (blob|tree|commit|tag) (\d+)$/.exec(line);
  if (match === null) return null;
  const [, id = "", type = "", size = "0"] = match;
  return { id, type, size: Number(size) };
}
