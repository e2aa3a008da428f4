import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { readQueue } from "../../../src/work/merge-queue.ts";
import { META } from "../../../src/domain/work-graph/bead.ts";
import { approve } from "../../../src/work/approval.ts";
import { QueueSite, RIG } from "./queue-site.ts";

const GREEN = "! grep -q BAD *.txt";

describe("the merge queue on real git", () => {
  let queue: QueueSite;

  afterEach(() => queue.end());

  const eight = async (culprit: number): Promise<void> => {
    for (let index = 1; index <= 8; index += 1)
      await queue.submit(`api-${index}`, { [`${index}.txt`]: index === culprit ? "BAD\n" : "good\n" });
  };
  const kept = (): string =>
    queue.site.run(queue.site.ports.layout.clone("api"), "for-each-ref", "--format=%(refname)", "refs/town/merge");

  it.each([
    { strategy: "Merge", parents: 2 },
    { strategy: "Squash", parents: 1 },
  ])("given eight requests with one culprit and strategy $strategy, when settled, then seven land in at most seven runs and the culprit goes back", async ({
    strategy,
    parents,
  }) => {
    queue = await QueueSite.make(GREEN, { strategy });
    await eight(5);
    await queue.settle();
    for (let index = 1; index <= 8; index += 1) {
      expect(queue.state(`api-${index}`)).toBe(index === 5 ? "open" : "closed");
      expect(existsSync(join(queue.project, `${index}.txt`))).toBe(index !== 5);
    }
    const feedback = String(queue.graph.get("api-5")?.metadata?.[META.feedback]);
    expect(feedback).toContain("It passes without your change");
    expect(queue.gateRuns).toBeLessThanOrEqual(1 + 2 * Math.log2(8));
    expect(queue.moves()).toBe(2);
    const landed = queue.site.run(queue.project, "log", "--first-parent", "--format=%P", "-7").split("\n");
    for (const line of landed) expect(line.split(" ")).toHaveLength(parents);
    expect(queue.site.run(queue.project, "status", "--porcelain")).toBe("");
    expect(kept()).not.toMatch(/api-/);
    expect(await queue.settle()).toEqual([]);
  });

  it("given a target that moves while the batch is tested, when settled, then it is stacked and tested anew", async () => {
    queue = await QueueSite.make(
      "[ -e $HOME/moved ] || { touch $HOME/moved; git -C $(cat where) -c user.name=Pat -c user.email=pat@example.org commit --quiet --allow-empty -m hand; }",
    );
    queue.site.commit(queue.project, { where: `${queue.project}\n` });
    await queue.submit("api-1", { "1.txt": "good\n" });
    await queue.submit("api-2", { "2.txt": "good\n" });
    const actions = await queue.settle();
    expect(actions).toContain("Dissolve");
    expect(queue.state("api-1")).toBe("closed");
    expect(queue.state("api-2")).toBe("closed");
    expect(queue.site.run(queue.project, "log", "--format=%s")).toContain("hand");
  });

  it("given requests that conflict with each other, when settled, then the first lands and the other goes back with what it conflicts in", async () => {
    queue = await QueueSite.make(GREEN);
    await queue.submit("api-1", { "same.txt": "one\n" });
    await queue.submit("api-2", { "same.txt": "two\n" });
    await queue.submit("api-3", { "3.txt": "good\n" });
    await queue.settle();
    expect(readFileSync(join(queue.project, "same.txt"), "utf8")).toBe("one\n");
    expect(queue.state("api-3")).toBe("closed");
    expect(queue.state("api-2")).toBe("open");
    expect(String(queue.graph.get("api-2")?.metadata?.[META.feedback])).toContain("same.txt");
    expect(queue.gateRuns).toBe(1);
  });

  it("given a rig that asks for approval, when work comes, then it waits outside of the batch, and lands once approved", async () => {
    queue = await QueueSite.make(GREEN, {}, [{ name: "review", approvals: 2 }]);
    const request = await queue.submit("api-1", { "1.txt": "good\n" });
    const other = await queue.submit("api-2", { "2.txt": "good\n" });
    const by = (id: string, name: string): Promise<void> =>
      queue.graph.transact({ actor: name }, (tx) => {
        const record = tx.get(id);
        if (record !== undefined) approve(tx, record, name);
      });
    await by(request, "pat");
    await by(other, "pat");
    await by(other, "robin");
    await queue.settle();
    expect(queue.state("api-2")).toBe("closed");
    expect(queue.state("api-1")).toBe("open");
    expect(readQueue(queue.graph).waiting).toEqual([
      { request, reason: `waits for 1 approval: town approve ${request}` },
    ]);
    expect(await queue.settle()).toEqual([]);
    await by(request, "robin");
    await queue.settle();
    expect(queue.state("api-1")).toBe("closed");
  });

  it("given a gate for some files, when others change, then it does not run, and a change of such a file is held to it", async () => {
    queue = await QueueSite.make("true", {}, [
      { name: "pages", command: "! grep -q BAD docs/*.md", when: { paths: ["docs/**"] } },
    ]);
    await queue.submit("api-1", { "1.txt": "good\n" });
    await queue.settle();
    expect(queue.state("api-1")).toBe("closed");
    expect(readQueue(queue.graph).outcomes.map(({ gate }) => gate)).toEqual(["test"]);
    await queue.submit("api-2", { "2.txt": "good\n" });
    await queue.submit("api-3", { "docs/3.md": "BAD\n" });
    await queue.submit("api-4", { "docs/4.md": "good\n" });
    await queue.settle();
    expect([2, 3, 4].map((index) => queue.state(`api-${index}`))).toEqual(["closed", "open", "closed"]);
  });

  it("given work without a common history, when settled, then it goes back and holds nobody up", async () => {
    queue = await QueueSite.make(GREEN);
    const { site, project } = queue;
    await queue.submit("api-1", { "1.txt": "good\n" });
    const stranger = site.run(project, "commit-tree", "-m", "stranger", "main^{tree}");
    site.run(
      project,
      "push",
      "--quiet",
      site.ports.layout.clone("api"),
      `${stranger}:refs/town/heads/api-2/${stranger}`,
    );
    await queue.submitHead("api-2", stranger);
    await queue.settle();
    expect(queue.state("api-1")).toBe("closed");
    expect(queue.state("api-2")).toBe("open");
  });

  it("given a target that fails the gate, when work comes, then it waits, nobody is blamed, and what mends the target lands first", async () => {
    queue = await QueueSite.make(GREEN);
    queue.site.commit(queue.project, { "old.txt": "BAD\n" });
    await queue.submit("api-1", { "1.txt": "good\n" });
    await queue.settle();
    expect(queue.site.condition(RIG, "TargetBroken")).toMatchObject({ status: "True", reason: "TargetFailsGate" });
    expect(queue.state("api-1")).toBe("open");
    expect(queue.graph.get("api-1")?.metadata?.[META.attempts]).toBeUndefined();
    expect(readQueue(queue.graph).waiting[0]?.reason).toContain("main itself fails gate test");
    expect(await queue.settle()).toEqual([]);
    await queue.submit("api-2", { "old.txt": "mended\n" });
    await queue.settle();
    expect(queue.state("api-1")).toBe("closed");
    expect(queue.state("api-2")).toBe("closed");
    expect(queue.site.condition(RIG, "TargetBroken")).toBeUndefined();
  });
});
