import { describe, expect, it } from "vitest";
import { observeProvider, type ProviderObject } from "../../../src/kinds/provider/provider.observe.ts";
import { planProvider } from "../../../src/kinds/provider/provider.plan.ts";
import { providerSpec } from "../../../src/kinds/provider/provider.schema.ts";
import type { FileStat } from "../../../src/ports/files.ts";
import type { LoopPorts } from "../../../src/ports/loop-ports.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");

function provider(spec: object, status: object = {}): ProviderObject {
  return {
    metadata: { name: "agent" },
    spec: providerSpec.parse({ command: ["agent"], ...spec }),
    status,
  } as unknown as ProviderObject;
}

/** A disk with programs and what they answer. */
function machine(
  files: Readonly<Record<string, Partial<FileStat>>>,
  output = "agent 1.2.3\n",
): LoopPorts & { runs: string[] } {
  const runs: string[] = [];
  return {
    runs,
    clock: { now: () => NOW },
    sessionPath: "/one:/two",
    layout: { state: "/state" },
    files: {
      realPath: (path: string) => Promise.resolve(files[path] === undefined ? undefined : path),
      stat: (path: string) => Promise.resolve({ kind: "File", mode: 0o755, size: 10, modifiedMs: 5, ...files[path] }),
      makeDirectory: () => Promise.resolve(),
      removeTree: () => Promise.resolve(),
    },
    processes: {
      run: (command: string, args: readonly string[], options: { readonly env: { readonly HOME: string } }) => {
        runs.push([command, ...args, options.env.HOME].join(" "));
        return Promise.resolve({ exitCode: 0, output });
      },
    },
  } as unknown as LoopPorts & { runs: string[] };
}

describe("observeProvider", () => {
  it("given programs in several places, when looked for, then the first that can be run is asked for its version once", async () => {
    const ports = machine({ "/one/agent": { mode: 0o644 }, "/two/agent": {} });
    const seen = await observeProvider(provider({}), ports);
    expect(seen.program).toEqual({
      state: "Found",
      path: "/two/agent",
      fingerprint: "/two/agent 10 5",
      version: "1.2.3",
    });
    expect(ports.runs).toEqual(["/two/agent --version /state/probe"]);
    await observeProvider(provider({}, { fingerprint: "/two/agent 10 5", version: "1.2.3" }), ports);
    expect(ports.runs).toHaveLength(1);
  });

  it("given another file than last time, when looked at, then it is asked again", async () => {
    const ports = machine({ "/one/agent": { size: 11 } }, "2.0.0");
    const seen = await observeProvider(provider({}, { fingerprint: "/one/agent 10 5", version: "1.2.3" }), ports);
    expect(seen.program).toMatchObject({ version: "2.0.0", fingerprint: "/one/agent 11 5" });
  });

  it("given no such program, when looked for, then it is missing; a shipped one is not looked for", async () => {
    const sight = async (spec: object) => (await observeProvider(provider(spec), machine({}))).program;
    expect(await sight({})).toEqual({ state: "Missing", command: "agent" });
    expect(await sight({ command: ["{shellAgent}"] })).toEqual({ state: "Shipped" });
  });
});

describe("planProvider", () => {
  const found = (version: string | undefined) =>
    ({ now: NOW, program: { state: "Found", path: "/one/agent", fingerprint: "f", version } }) as const;
  const conditions = (object: ProviderObject, seen: Parameters<typeof planProvider>[1]): readonly string[] =>
    (planProvider(object, seen).conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);

  it("given a missing program, when planned, then it is not ready, says how to install it, and is looked for again", () => {
    const plan = planProvider(provider({ install: "npm install -g agent" }), {
      now: NOW,
      program: { state: "Missing", command: "agent" },
    });
    expect(plan.conditions?.[0]).toMatchObject({ status: "False", reason: "ProgramNotFound" });
    expect(plan.conditions?.[0]?.message).toContain("npm install -g agent");
    expect(plan.requeueAfterMs).toBe(60_000);
  });

  it("given a version that the manifest or a test here covers, when planned, then it is tested", () => {
    const stated = provider({ version: { tested: { from: "1.0.0", to: "1.2.3" } } });
    expect(conditions(stated, found("1.2.3"))).toEqual(["Ready=True ProgramFound", "Tested=True VersionTested"]);
    expect(conditions(stated, found("1.3.0"))).toContain("Tested=False VersionUntested");
    const here = provider({}, { tested: { from: "1.3.0", to: "1.3.0" } });
    expect(conditions(here, found("1.3.0"))).toContain("Tested=True VersionTested");
  });

  it("given a program that does not tell its version, when planned, then it is ready and nothing is claimed", () => {
    expect(conditions(provider({}), found(undefined))).toEqual([
      "Ready=True ProgramFound",
      "Tested=Unknown VersionUnknown",
    ]);
  });

  describe("while new sessions wait", () => {
    const hold = {
      reason: "RateLimited",
      since: "2026-11-22T11:00:00Z",
      until: "2026-11-22T15:00:00Z",
      agent: "api/crew/pat",
      message: "a limit",
    };
    const poked = (time: string): ProviderObject => {
      const object = provider({}, { hold });
      const annotations = { "runtime.town.dev/reconcile-requested-at": time };
      return { ...object, metadata: { ...object.metadata, annotations } };
    };

    it("given a hold, when planned, then it says until when and what a person may do, and is looked at again", () => {
      const plan = planProvider(provider({}, { hold }), found("1.2.3"));
      const said = plan.conditions?.find(({ type }) => type === "Held");
      expect(said).toMatchObject({ status: "True", reason: "RateLimited" });
      expect(said?.message).toContain("2026-11-22T15:00:00Z");
      expect(said?.message).toContain("town reconcile provider/agent");
      expect(plan.requeueAfterMs).toBe(3_600_000);
      expect(plan.actions).toEqual([]);
    });

    it.each([
      ["it is over", hold.until],
      ["a clock that was set back behind its begin", "2026-11-22T04:00:00Z"],
    ])("given %s, when planned, then nothing is left of it", (_, now) => {
      const over = { ...found("1.2.3"), now: Date.parse(now) };
      const plan = planProvider(provider({}, { hold }), over);
      expect(plan.status).toMatchObject({ hold: null, version: "1.2.3" });
      expect(plan.conditions?.map(({ type }) => type)).not.toContain("Held");
    });

    it("given a person who asks to look again, when planned, then it is lifted; an older wish says nothing", () => {
      expect(planProvider(poked("2026-11-22T11:59:00.000Z"), found("1.2.3")).actions).toEqual([{ do: "LiftHold" }]);
      expect(planProvider(poked("2026-11-22T10:59:00.000Z"), found("1.2.3")).actions).toEqual([]);
    });
  });
});
