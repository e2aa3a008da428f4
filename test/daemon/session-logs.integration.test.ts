import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { sessionLogs } from "../../src/daemon/session-logs.ts";
import type { TownObject } from "../../src/resource/object-meta.ts";

describe("logs of a session", () => {
  let directory: string;
  let path: string;
  let running: boolean;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "town-logs-"));
    path = join(directory, "api-crew-joe.3.log");
    running = false;
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const session = { spec: { runtimeName: "api-crew-joe", generation: 3 } } as unknown as TownObject;

  async function linesOf(request: { readonly follow?: boolean; readonly tailLines?: number } = {}) {
    const logs = sessionLogs(
      { logPath: (name, generation) => join(directory, `${name}.${generation}.log`) },
      systemClock,
      () => running,
    );
    return logs.lines(session, {
      previous: false,
      follow: request.follow ?? false,
      signal: new AbortController().signal,
      ...(request.tailLines === undefined ? {} : { tailLines: request.tailLines }),
    });
  }

  async function read(request: { readonly tailLines?: number } = {}): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const { text } of (await linesOf(request)) ?? []) found.push(text);
    return found;
  }

  it("given a log that was turned over in the middle of a line, when read, then the line is whole and in its place", async () => {
    writeFileSync(`${path}.1`, "one\ntwo and a h");
    writeFileSync(path, "alf\nthree\n");
    expect(await read()).toEqual(["one", "two and a half", "three"]);
    expect(await read({ tailLines: 2 })).toEqual(["two and a half", "three"]);
  });

  it("given a log without a final newline, when read, then its last line is there", async () => {
    writeFileSync(path, "one\ntwo");
    expect(await read()).toEqual(["one", "two"]);
  });

  it("given no log, when read, then there is none", async () => {
    expect(await linesOf()).toBeUndefined();
  });

  it("given a log that is followed, when it is turned over, then nothing is missed and nothing comes twice", async () => {
    running = true;
    writeFileSync(path, "one\n");
    const lines = await linesOf({ follow: true });
    if (lines === undefined) throw new Error("there is no log");
    const iterator = lines[Symbol.asyncIterator]();
    const next = async (): Promise<string | undefined> => {
      const { done, value } = await iterator.next();
      return done === true ? undefined : value.text;
    };
    expect(await next()).toBe("one");
    const second = next();
    appendFileSync(path, "two\nthree is l");
    expect(await second).toBe("two");
    const third = next();
    appendFileSync(path, "ong\n");
    renameSync(path, `${path}.1`);
    writeFileSync(path, "four\n");
    expect(await third).toBe("three is long");
    expect(await next()).toBe("four");
    running = false;
    expect(await next()).toBeUndefined();
  });
});
