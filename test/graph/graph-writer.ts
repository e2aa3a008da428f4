import { NodeGit } from "../../src/adapters/git/node-git.ts";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { createNodeProcesses } from "../../src/adapters/node-processes.ts";
import { nodeRandom } from "../../src/adapters/node-random.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { openGraph } from "../../src/graph/open-graph.ts";
import { silentLog } from "../../src/ports/log.ts";

// A process to be killed: writes as fast as it can and prints the id of every bead and wisp that was acknowledged.
// Usage: node --import tsx graph-writer.ts REPOSITORY NAME

const [, , path = "", name = "writer"] = process.argv;
const repository = await new NodeGit().open(path);
if (repository === undefined) throw new Error(`no repository at ${path}`);
const graph = await openGraph({
  repository,
  files: createNodeFiles(),
  clock: systemClock,
  random: nodeRandom,
  processes: createNodeProcesses(),
  log: silentLog,
  namespace: "api",
  prefix: "api",
  flushIntervalMs: 30,
  segmentBytes: 20_000,
});
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
