import { describe, expect, test } from "vitest";
import { bdWorld, shop } from "./bd-world.ts";

describe("labels, states and relations", () => {
  test("given labels with a comma between, when put on or taken off, then each is a label", async () => {
    const bd = await shop();
    expect(await bd.json("label", "add", "api-a00002", "api-a00004", "a,b")).toEqual([
      { status: "added", issue_id: "api-a00002", label: "a" },
      { status: "added", issue_id: "api-a00002", label: "b" },
      { status: "added", issue_id: "api-a00004", label: "a" },
      { status: "added", issue_id: "api-a00004", label: "b" },
    ]);
    expect(bd.graph.get("api-a00002")?.labels).toEqual(["a", "b", "x"]);
    await bd.out("label", "remove", "api-a00002", "a,x");
    expect(bd.graph.get("api-a00002")?.labels).toEqual(["b"]);
  });

  test("given an epic, when a label is propagated, then its children have it and it has not", async () => {
    const bd = await shop();
    await bd.out("label", "propagate", "api-a00003", "v2");
    expect(bd.graph.get("api-a00003.1")?.labels).toEqual(["v2"]);
    expect(bd.graph.get("api-a00003")?.labels ?? []).toEqual([]);
  });

  test("given a state, when it is set anew, then the old label goes, an event says why, and nothing more is open", async () => {
    const bd = await shop();
    await bd.out("set-state", "api-a00002", "patrol=active");
    const open = bd.graph.list().filter(({ status }) => status === "open").length;
    const set = await bd.json("set-state", "api-a00002", "patrol=muted", "--reason", "too loud");
    expect(set).toMatchObject({ dimension: "patrol", old_value: "active", new_value: "muted", changed: true });
    expect(bd.graph.get("api-a00002")?.labels).toEqual(["patrol:muted", "x"]);
    const event = bd.graph.get(String(set["event_id"]));
    expect(event).toMatchObject({ issue_type: "event", status: "closed" });
    expect(event?.description).toContain("Reason: too loud");
    expect(bd.graph.list().filter(({ status }) => status === "open")).toHaveLength(open);
    expect(await bd.out("state", "api-a00002", "patrol")).toBe("muted");
    const again = await bd.json("set-state", "api-a00002", "patrol=muted");
    expect(again).toMatchObject({ changed: false, event_id: null });
  });

  test("given two beads, when they are related and unrelated, then both say so, and neither waits", async () => {
    const bd = await shop();
    await bd.out("dep", "relate", "api-a00002", "api-a00003.1");
    const edgeOf = (id: string) => bd.graph.get(id)?.dependencies?.find(({ type }) => type === "relates-to");
    expect(edgeOf("api-a00002")?.depends_on_id).toBe("api-a00003.1");
    expect(edgeOf("api-a00003.1")?.depends_on_id).toBe("api-a00002");
    expect(bd.graph.isBlocked("api-a00002")).toBe(false);
    await bd.out("unrelate", "api-a00003.1", "api-a00002");
    expect([edgeOf("api-a00002"), edgeOf("api-a00003.1")]).toEqual([undefined, undefined]);
  });
});

describe("claims given back, wisps kept, lists of ids", () => {
  test("given a claim, when it is unclaimed, then the bead is free, and another's only with --force", async () => {
    const bd = await shop();
    await bd.out("update", "api-a00002", "--claim");
    expect(await bd.fails("unclaim", "api-a00002", "--actor", "bob")).toContain("held by alice, not by bob");
    expect(bd.graph.get("api-a00002")?.assignee).toBe("alice");
    expect(await bd.json("unclaim", "api-a00002", "-r", "gone")).toMatchObject([{ id: "api-a00002", status: "open" }]);
    expect(bd.graph.get("api-a00002")?.assignee ?? "").toBe("");
    await bd.out("update", "api-a00002", "--claim");
    await bd.out("unclaim", "api-a00002", "--force", "--actor", "bob");
    expect(bd.graph.get("api-a00002")?.status).toBe("open");
  });

  test("given a claim, when the current bead is asked for, then it is the one claimed", async () => {
    const bd = await shop();
    await bd.out("update", "api-a00002", "--claim");
    expect(await bd.json("show", "--current")).toMatchObject([{ id: "api-a00002" }]);
  });

  test("given a wisp, when promoted, then it is an ordinary bead with the reason as a comment", async () => {
    const bd = await shop();
    const id = await bd.make("wisp", "--ephemeral");
    await bd.out("promote", id, "--reason", "worth it");
    expect(bd.graph.get(id)?.ephemeral).toBeUndefined();
    expect(bd.graph.get(id)?.comments?.at(-1)?.text).toBe("Promoted from a wisp: worth it");
  });

  test("given ids in a file, when deleted, then those are gone, comments and blank lines aside", async () => {
    const bd = await shop();
    const stdin = "# old\napi-a00002\n\n  api-a00004 \r\n";
    const { stdout } = await bd.run(["delete", "--from-file", "-", "--force", "--json"], { stdin });
    expect(JSON.parse(stdout)).toMatchObject({ deleted: ["api-a00002", "api-a00004"] });
  });

  test("given a message for sync, when synced, then it runs and says that the message is not kept", async () => {
    const bd = await shop();
    const { exitCode, stderr } = await bd.run(["dolt", "push", "-m", "end of session"]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain("--message is not kept");
  });

  test("given a terminal, when --no-color is said, then nothing is coloured", async () => {
    const bd = await shop();
    const shown = { isTerminal: true, env: { TERM: "xterm" } };
    expect((await bd.run(["list", "--all"], shown)).stdout).toContain("\u001b[");
    expect((await bd.run(["list", "--all", "--no-color"], shown)).stdout).not.toContain("\u001b[");
  });
});

describe("dep tree of some statuses", () => {
  test("given closed and open ones, when only closed are asked for, then they are shown with what leads to them", async () => {
    const bd = await bdWorld();
    for (const title of ["root", "open way", "closed end", "open end", "closed way", "other end"]) await bd.make(title);
    const edges = ["2 3", "3 4", "2 5", "2 6", "6 7"];
    for (const edge of edges) await bd.out("dep", "add", ...edge.split(" ").map((n) => `api-a0000${n}`));
    await bd.out("close", "api-a00004", "api-a00006", "--force");
    const shown = await bd.json<{ id: string }[]>("dep", "tree", "api-a00002", "--status", "closed");
    expect(shown.map(({ id }) => id)).toEqual(["api-a00002", "api-a00003", "api-a00004", "api-a00006"]);
    const up = await bd.json<{ id: string }[]>("dep", "tree", "api-a00004", "--reverse");
    expect(up.map(({ id }) => id)).toEqual(["api-a00004", "api-a00003", "api-a00002"]);
  });
});

describe("gates", () => {
  test("given a gate, when it is resolved, then what it held back is ready", async () => {
    const bd = await shop();
    const { id } = await bd.json<{ id: string }>("gate", "create", "--blocks", "api-a00002", "-r", "review");
    expect(bd.graph.isBlocked("api-a00002")).toBe(true);
    expect(await bd.out("gate", "list", "api-a00002")).toContain("human; holds back api-a00002");
    expect(await bd.out("gate", "list", "api-a00003")).toBe("No gates found.");
    await bd.out("gate", "resolve", id, "--reason", "looks good");
    expect(bd.graph.get(id)).toMatchObject({ status: "closed", close_reason: "looks good" });
    expect(bd.graph.isBlocked("api-a00002")).toBe(false);
    expect(await bd.out("gate", "list")).toBe("No gates found.");
    expect(await bd.json("gate", "list", "--all")).toHaveLength(1);
  });

  test("given a timer and a gate for a bead, when checked, then each opens when its time has come, and not before", async () => {
    const bd = await shop();
    const timer = ["gate", "create", "--blocks", "api-a00002", "-t", "timer", "--timeout", "2h"];
    const { id } = await bd.json<{ id: string }>(...timer);
    const other = ["gate", "create", "--blocks", "api-a00003.1", "-t", "bead", "--await-id", "api:api-a00002"];
    const { id: second } = await bd.json<{ id: string }>(...other);
    expect(await bd.json("gate", "check")).toEqual({ checked: 2, resolved: [], pending: 2 });
    await bd.pass(2 * 3_600_000);
    expect(await bd.json("gate", "check", "--dry-run")).toMatchObject({ resolved: [id], dry_run: true });
    expect(bd.graph.get(id)?.status).toBe("open");
    expect(await bd.json("gate", "check", "-t", "bead")).toMatchObject({ resolved: [] });
    expect(await bd.json("gate", "check")).toMatchObject({ resolved: [id] });
    await bd.out("close", "api-a00002");
    expect(await bd.json("gate", "check")).toMatchObject({ resolved: [second] });
    expect(bd.graph.isBlocked("api-a00003.1")).toBe(false);
  });
});
