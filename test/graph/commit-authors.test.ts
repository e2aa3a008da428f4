import { describe, expect, test } from "vitest";
import { graphWorld } from "./graph-world.ts";

const addresses = new Map([["alice", "alice@example.com"]]);

describe("commits of the work branch", () => {
  test.each([
    { actors: ["alice"], author: "alice <alice@example.com>", because: "the address of who changed it is known" },
    { actors: ["loop/rigs"], author: "loop/rigs <town@localhost>", because: "nobody is behind a loop" },
    { actors: ["alice", "bob"], author: "town <town@localhost>", because: "several changed something" },
  ])("given changes of $actors, when flushed, then the author is $author ($because)", async ({ actors, author }) => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", { emailOf: (actor) => addresses.get(actor) });
    for (const actor of actors) await graph.transact({ actor }, (tx) => tx.create({ title: `by ${actor}` }));
    await graph.flush();
    const commit = await graph.repository.objects.readCommit(graph.tip ?? "");
    expect(`${commit?.author.name} <${commit?.author.email}>`).toBe(author);
    expect(commit?.committer.email).toBe("town@localhost");
  });
});
