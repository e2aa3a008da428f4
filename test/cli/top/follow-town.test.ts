import { describe, expect, it } from "vitest";
import type { ApiRequest } from "../../../src/cli/connection/api.ts";
import { followTown, readTown } from "../../../src/cli/top/follow-town.ts";
import { LiveObjects } from "../../../src/cli/top/live-objects.ts";
import { ApiStatusError } from "../../../src/errors/town-error.ts";
import { FakeTown } from "../fake-town.ts";

const agent = (name: string, state: string) => ({
  apiVersion: "work.town.dev/v1alpha1",
  kind: "Agent",
  metadata: { name, namespace: "api" },
  status: { state },
});

/** A town whose watches stay open, and tell what is put into them; `end` breaks them all. */
function watchedTown(town: FakeTown) {
  const told: string[] = [];
  const waiting = new Map<string, (line: string | Error) => void>();
  const api = {
    send: (request: ApiRequest) => town.api.send(request),
    async *stream({ path, signal }: ApiRequest): AsyncGenerator<string> {
      const kind = path.split("?")[0]?.split("/").at(-1) ?? "";
      told.push(`${kind} from ${/resourceVersion=(\d+)/.exec(path)?.[1] ?? ""}`);
      for (;;) {
        const line = await new Promise<string | Error>((resolve) => {
          waiting.set(kind, resolve);
          signal?.addEventListener("abort", () => resolve(new Error("aborted")), { once: true });
        });
        if (typeof line !== "string") throw line;
        yield line;
      }
    },
  };
  return {
    api,
    told,
    tell: (kind: string, type: string, object: object) => waiting.get(kind)?.(`${JSON.stringify({ type, object })}\n`),
    fail: (kind: string, error: Error) => waiting.get(kind)?.(error),
  };
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

function follow(town: ReturnType<typeof watchedTown>) {
  const objects = new LiveObjects();
  const ending = new AbortController();
  const happened: string[] = [];
  const over = followTown({
    api: () => town.api,
    objects,
    signal: ending.signal,
    sleep: (ms) =>
      // The pulse never comes in these tests; what is tried again is tried at once.
      ms > 2_000 ? new Promise((resolve) => ending.signal.addEventListener("abort", () => resolve())) : turns(),
    changed: () => happened.push("changed"),
    found: () => happened.push("found"),
    lost: () => happened.push("lost"),
  });
  return { objects, happened, end: () => (ending.abort(), over) };
}

const states = (objects: LiveObjects): readonly unknown[] =>
  objects.of("Agent").map(({ metadata, status }) => `${metadata.name} ${String((status as { state?: string }).state)}`);

describe("following a town", () => {
  it("given objects, when they change, come and go, then the newest state is known, by one watch a kind", async () => {
    const town = watchedTown(new FakeTown([agent("toast", "Idle"), agent("max", "Idle")]));
    const { objects, happened, end } = follow(town);
    await turns();
    expect(happened).toEqual(["found"]);
    expect(states(objects)).toEqual(["toast Idle", "max Idle"]);
    expect(new Set(town.told).size).toBe(town.told.length);
    town.tell("agents", "MODIFIED", agent("toast", "Working"));
    await turns();
    town.tell("agents", "DELETED", agent("max", "Idle"));
    await turns();
    town.tell("agents", "ADDED", agent("nux", "Starting"));
    await turns();
    expect(states(objects)).toEqual(["toast Working", "nux Starting"]);
    expect(happened).toEqual(["found", "changed", "changed", "changed"]);
    await end();
  });

  it("given a watch that expired, when told, then that kind alone is read again", async () => {
    const fake = new FakeTown([agent("toast", "Idle")]);
    const town = watchedTown(fake);
    const { objects, happened, end } = follow(town);
    await turns();
    const before = town.told.length;
    fake.objects.splice(0, 1, agent("toast", "Working"));
    town.fail("agents", new ApiStatusError(410, "Expired", "too old"));
    await turns();
    expect(states(objects)).toEqual(["toast Working"]);
    expect(town.told).toHaveLength(before + 1);
    expect(happened).not.toContain("lost");
    await end();
  });

  it("given a daemon that goes away, when it is back, then it is said, what was seen stays meanwhile, and all is read anew", async () => {
    const fake = new FakeTown([agent("toast", "Idle")]);
    const town = watchedTown(fake);
    const { objects, happened, end } = follow(town);
    await turns();
    const before = town.told.length;
    town.fail("sessions", new Error("socket closed"));
    await turns();
    expect(happened).toContain("lost");
    expect(states(objects)).toEqual(["toast Idle"]);
    fake.objects.splice(0, 1, agent("max", "Idle"));
    await turns();
    await turns();
    expect(happened.at(-1)).toBe("found");
    expect(town.told).toHaveLength(before * 2);
    await end();
  });

  it("given a daemon that lacks a kind, when read once, then the rest is there", async () => {
    const fake = new FakeTown([agent("toast", "Idle")]);
    const objects = new LiveObjects();
    await readTown(fake.api, objects, new AbortController().signal);
    expect(states(objects)).toEqual(["toast Idle"]);
    expect(objects.of("Rig")).toEqual([]);
  });
});
