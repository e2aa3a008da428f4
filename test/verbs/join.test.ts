import { beforeEach, describe, expect, it } from "vitest";
import type { Caller } from "../../src/resource/caller.ts";
import { joinVerb } from "../../src/verbs/join.ts";
import { primeVerb } from "../../src/verbs/prime.ts";
import { agentRecord } from "../../src/work/agent-record.ts";
import { joinedOf } from "../../src/work/joined.ts";
import type { LoopPorts } from "../../src/ports/loop-ports.ts";
import { overseer, TOAST, type VerbSite, verbSite } from "./verb-site.ts";

describe("town join", () => {
  let site: VerbSite;
  let tokens: string[];
  let ports: LoopPorts;
  let state: "Absent" | "Running";
  beforeEach(async () => {
    site = await verbSite();
    tokens = [];
    state = "Absent";
    ports = {
      ...site.ports,
      sessionPath: "/town/agent-bin:/usr/bin",
      gitHooks: "/town/agent-hooks",
      view: { ready: true, frozen: false, sight: () => ({ state }) },
      tokens: {
        issue: (of: { readonly identity: string; readonly generation: number }) => {
          tokens.push(`${of.identity}@${of.generation}`);
          return Promise.resolve();
        },
        revoke: (namespace: string, agent: string) => {
          tokens.push(`void ${namespace}/${agent}`);
          return Promise.resolve();
        },
      },
    } as unknown as LoopPorts;
    site.objects.push({
      kind: "Role",
      metadata: { name: "crew" },
      spec: { lifecycle: "Persistent", plural: "crew", prompt: "You are crew.", permissions: ["WorkHook"] },
    });
  });
  const join = (args: Record<string, unknown> = {}, caller: Caller = overseer) =>
    site.call(joinVerb(ports), args, caller);
  const worktree = async (path: string): Promise<void> => {
    const commit = (await site.clone.resolve("refs/remotes/origin/main")) ?? "";
    await site.clone.addWorktree({ path, commit, branch: `refs/heads/at${path.replaceAll("/", "-")}` });
  };
  const session = (agent: string, generation: number): Caller => ({
    name: `api/crew/${agent}`,
    role: "agent",
    permissions: ["WorkHook"],
    session: { namespace: "api", agent, generation },
  });

  it("given no name, when the same request is made again, then it is the same agent at the same generation; and it leaves once", async () => {
    await worktree("/town/rigs/api/crew/guest");
    const request = "request-1";
    const joined = await join({ rig: "api", request });
    expect(await join({ rig: "api", request })).toEqual(joined);
    expect(tokens).toEqual(["api/crew/guest@1", "api/crew/guest@1"]);
    expect(joined.data).toMatchObject({ agent: "api/crew/guest", generation: 1 });
    const left = await join({ agent: "api/crew/guest", leave: true, request: "request-2" });
    expect(await join({ agent: "api/crew/guest", leave: true, request: "request-2" })).toEqual(left);
    expect(joinedOf(agentRecord(site.api, "guest"))).toBeUndefined();
    expect(agentRecord(site.api, "guest-2")).toBeUndefined();
  });

  it("given a new name, when a program joins, then it is an agent with a generation, a token and lines for a shell", async () => {
    await worktree("/town/rigs/api/crew/pat");
    const { text, data } = await join({ agent: "pat" });
    expect(tokens).toEqual(["api/crew/pat@1"]);
    expect(text).toContain("export TOWN_AGENT='api/crew/pat'");
    expect(text).toContain("export TOWN_TOKEN_FILE='/state/tokens/api-pat'");
    expect(text).toContain("export TOWN_BEAD_FILE='/state/beads/api-pat'");
    expect(text).toContain("export GIT_CONFIG_VALUE_0='/town/agent-hooks'");
    expect(text).toContain(`export PATH='/town/agent-bin':"$PATH"`);
    expect(data).toMatchObject({ agent: "api/crew/pat", generation: 1, sandbox: "/town/rigs/api/crew/pat" });
    const primed = await site.call(primeVerb(ports), {}, session("pat", 1));
    expect(primed.text).toContain("You are crew.");
  });

  it("given an agent that rests, when a program joins as it, then it takes its hook; older generations are fenced off", async () => {
    const bead = await site.hooked();
    const old = await site.caller();
    await join({ agent: TOAST });
    expect(tokens).toEqual([`${TOAST}@2`]);
    expect(site.api.get(bead.id)?.assignee).toBe(TOAST);
    await expect(site.call(primeVerb(ports), {}, old)).rejects.toMatchObject({ reason: "Fenced" });
  });

  it("given a session of the town, when a program wants to be that agent, then it is refused with what to do", async () => {
    state = "Running";
    await expect(join({ agent: "toast" })).rejects.toMatchObject({
      reason: "SessionRunning",
      hint: expect.stringContaining("town attach"),
    });
    expect(tokens).toEqual([]);
  });

  it("given work on its hook, when it leaves, then the work is free, the token void and the generation over", async () => {
    const bead = await site.hooked();
    await join({ agent: TOAST });
    const caller = { ...session("toast", 1), name: TOAST };
    await join({ leave: true }, caller);
    expect(site.api.get(bead.id)).toMatchObject({ status: "open" });
    expect(tokens.at(-1)).toBe("void api/toast");
    expect(joinedOf(agentRecord(site.api, "toast"))).toBeUndefined();
    await expect(join({ leave: true }, caller)).rejects.toMatchObject({ reason: "Fenced" });
  });

  it("given files that are not committed, when it leaves, then it is refused unless forced", async () => {
    await site.hooked();
    await join({ agent: TOAST });
    await site.git.writeFile(site.sandbox, "open.txt", "x\n");
    await expect(join({ agent: TOAST, leave: true })).rejects.toMatchObject({ reason: "UncommittedWork" });
    await join({ agent: TOAST, leave: true, force: true });
    expect(joinedOf(agentRecord(site.api, "toast"))).toBeUndefined();
  });

  it.each([
    [{ agent: "pat", rig: "nope" }, "town get rigs"],
    [{ agent: "pat", role: "nope" }, "town get roles"],
    [{ agent: "Bad Name" }, "town join NAME"],
    [{ leave: true }, "town join AGENT --leave"],
    [{ agent: "toast", leave: true }, "town describe agent toast"],
  ])("given %j, when called, then it is refused with %s", async (args, hint) => {
    await expect(join(args)).rejects.toMatchObject({ hint: expect.stringContaining(hint) });
  });
});
