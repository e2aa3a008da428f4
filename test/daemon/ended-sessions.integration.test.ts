import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { endedSession, sessionLogs } from "../../src/daemon/session-logs.ts";
import type { Objects } from "../../src/ports/objects.ts";
import type { TownObject } from "../../src/resource/object-meta.ts";

describe("output of sessions that are over", () => {
  let root: string;
  const logPath = (name: string, generation: number): string => join(root, `${name}-${generation}.log`);
  const agent = {
    kind: "Agent",
    metadata: {},
    spec: { role: "polecat" },
    status: { generation: 5 },
  } as unknown as TownObject;
  const objects = { get: ({ name }: { name: string }) => (name === "toast" ? agent : undefined) } as unknown as Objects;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "town-logs-"));
    writeFileSync(logPath("api-polecat-toast", 3), "third\n");
    writeFileSync(logPath("api-polecat-toast", 1), "first\n");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  async function read(running: boolean, previous: boolean, generation = 5): Promise<string[] | undefined> {
    const source = sessionLogs({ logPath }, systemClock, () => running, endedSession(objects));
    const session = source.ended?.("api", "toast");
    if (session === undefined) return undefined;
    const asked = { ...session, spec: { ...session.spec, generation } };
    const lines = await source.lines(asked, { previous, follow: false, signal: new AbortController().signal });
    if (lines === undefined) return undefined;
    const found: string[] = [];
    for await (const line of lines) found.push(line.text);
    return found;
  }

  it("given an agent without a session, then its last output is found, across generations that left none", async () => {
    expect(await read(false, false)).toEqual(["third"]);
    expect(await read(false, true, 3)).toEqual(["first"]);
  });

  it("given a session that runs and has printed nothing, then no older output passes for its own", async () => {
    expect(await read(true, false)).toBeUndefined();
    expect(await read(true, true)).toEqual(["third"]);
  });

  it("given no agent of that name, then there is nothing", () => {
    expect(endedSession(objects)("api", "nobody")).toBeUndefined();
  });
});
