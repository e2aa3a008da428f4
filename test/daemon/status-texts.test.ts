import { describe, expect, it } from "vitest";
import { displayStatus } from "../../src/daemon/status-display.ts";
import { statusTexts } from "../../src/daemon/status-texts.ts";
import { KINDS } from "../../src/kinds/index.ts";
import { silentLog } from "../../src/ports/log.ts";
import { kindRegistry } from "../../src/resource/kind-registry.ts";
import type { TownObject } from "../../src/resource/object-meta.ts";
import { MemorySessions } from "../../src/simulation/memory-sessions.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { createStore } from "../../src/store/store.ts";
import { virtualClock } from "../turn.ts";

function object(
  kind: string,
  name: string,
  fields: {
    readonly spec?: Record<string, unknown>;
    readonly status?: Record<string, unknown>;
    readonly created?: string;
  },
): TownObject {
  return {
    apiVersion: "x/v1",
    kind,
    metadata: {
      name,
      namespace: "api",
      uid: name,
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: fields.created ?? "2026-01-01T00:00:00Z",
    },
    spec: fields.spec ?? {},
    status: fields.status ?? {},
  };
}

const session = (agent: string): TownObject =>
  object("Session", agent, { spec: { agent, runtimeName: `api-polecat-${agent}` } });
const nothing = { sessions: [], agents: [], convoys: [], mergeRequests: [], runtime: "Answering" };

describe("the texts of the status line", () => {
  it("given agents at work and a merge queue, when put into words, then each session tells its step and all tell how far it is", () => {
    const texts = statusTexts({
      ...nothing,
      sessions: [session("toast"), session("nux")],
      agents: [
        object("Agent", "toast", { status: { state: "Working", hook: "api-1", step: "verify" } }),
        object("Agent", "nux", { status: { state: "Idle" } }),
      ],
      convoys: [object("Convoy", "work", { status: { progress: "43/100" } })],
      mergeRequests: [
        object("MergeRequest", "m1", { status: { state: "Testing" } }),
        object("MergeRequest", "m2", { status: { state: "Merged" } }),
      ],
    });
    expect(texts.town).toBe("1/2 at work | work 43/100");
    expect(texts.sessions.get("api-polecat-toast")).toBe("verify, 1 merging");
    expect(texts.sessions.get("api-polecat-nux")).toBe("Idle, 1 merging");
  });

  it("given trouble and many convoys, when put into words, then trouble comes first and the oldest convoys are named", () => {
    const convoy = (name: string, created: string, closedTime?: string): TownObject =>
      object("Convoy", name, {
        created,
        status: { progress: "1/2", ...(closedTime === undefined ? {} : { closedTime }) },
      });
    const { town } = statusTexts({
      ...nothing,
      runtime: "Frozen",
      agents: [object("Agent", "slit", { status: { state: "Stalled", hook: "api-2" } })],
      convoys: [
        convoy("c", "2026-01-03T00:00:00Z"),
        convoy("a", "2026-01-01T00:00:00Z"),
        convoy("b", "2026-01-02T00:00:00Z"),
        convoy("over", "2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z"),
      ],
    });
    expect(town).toBe("! Frozen | ! 1 stalled | 1/0 at work | a 1/2 | b 1/2 | +1 convoys");
  });
});

describe("the display of the status", () => {
  it("given objects that change, when a second went by, then it is shown once, and nothing is done while they rest", async () => {
    const clock = virtualClock();
    const objects = await createStore({
      registry: kindRegistry(KINDS),
      clock,
      random: seededRandom(1),
      log: silentLog,
    });
    const sessions = new MemorySessions({ clock, resolve: () => undefined });
    const ending = new AbortController();
    const over = displayStatus({ clock, objects, sessions, log: silentLog, signal: ending.signal });
    await clock.advance(2_000);
    expect(sessions.shown?.town).toBe("0/0 at work");
    expect(clock.sleeping).toBe(0);
    await objects.publish(
      { kind: "Session", namespace: "api", name: "toast" },
      { spec: { agent: "toast", runtimeName: "api-crew-toast" }, status: {} },
    );
    await clock.advance(10);
    expect(sessions.shown?.town).toBe("0/1 at work");
    expect([...(sessions.shown?.sessions.keys() ?? [])]).toEqual(["api-crew-toast"]);
    ending.abort();
    await over;
  });
});
