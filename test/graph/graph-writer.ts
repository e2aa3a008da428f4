import { NodeGit } from "../../src/adapters/git/node-git.ts";
import { repositoryAt } from "../adapters/git/git-site.ts";
import { openRealGraph } from "./real-graph-parts.ts";

// A process to be killed: writes as fast as it can and prints the id of every bead and wisp that was acknowledged.
// Usage: node --import tsx graph-writer.ts REPOSITORY NAME

const [, , path = "", name = "writer"] = process.argv;
const repository = await repositoryAt(new NodeGit(), path);
const graph = await openRealGraph(repository, { flushIntervalMs: 30, segmentBytes: 20_000 });
process.stdout.write("open\n");
for (let i = 0; ; i++) {
  const lane = async (more: object = {}): Promise<void> => {
    const { id } = await graph.transact({ actor: name }, (tx) =>
      tx.create({ title: `${name} ${i}`, description: "x".repeat(i % 900), ...more }),
    );
    process.stdout.write(`${id}\n`);
  };
  await Promise.all([lane(), lane(), lane({ ephemeral: true, wisp_type: ["ping", "patrol", "error"][i % 3] })]);
}
