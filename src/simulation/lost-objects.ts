import { GitGraph } from "../graph/git-graph.ts";
import { surveyCommit } from "../graph/survey.ts";
import type { GitObjects } from "../ports/git.ts";
import { broken } from "./invariant.ts";
import { MemoryObjects } from "./memory-git-objects.ts";
import type { SimulatedFault } from "./message-chaos.ts";
import { TOWN, type TownWorld } from "./town-world.ts";

const BRANCH = "refs/heads/town/work";

/** Git loses objects of a work graph: a few of the last commit, or all that are in it. */
export const LOSSES: readonly SimulatedFault[] = [
  async (town, random) => {
    const path = random.pick([TOWN, `${TOWN}/.git/town/rigs/api.git`]);
    const repository = await town.git.open(path);
    const tip = await repository?.resolve(BRANCH);
    if (!(repository?.objects instanceof MemoryObjects) || tip === undefined) return undefined;
    const { objects } = repository;
    const ids = [tip, ...(await idsIn(objects, (await objects.readCommit(tip))?.tree ?? objects.emptyTree))];
    const chosen = random.chance(0.2) ? ids : Array.from({ length: 1 + random.below(4) }, () => random.pick(ids));
    for (const id of chosen) objects.lose(id);
    return `git lost ${chosen.length} objects of ${path}`;
  },
];

async function idsIn(objects: GitObjects, tree: string): Promise<readonly string[]> {
  const ids = [tree];
  for (const { mode, id } of await objects.readTree(tree).catch(() => []))
    ids.push(...(mode === "040000" ? await idsIn(objects, id) : [id]));
  return ids;
}

/** Once looked for, what git had lost is there again. Throws TownError `Invariant`. */
export async function checkGraphsWhole(town: TownWorld): Promise<void> {
  for (const graph of town.controller.ports.graphs.all()) {
    if (!(graph instanceof GitGraph)) continue;
    await settled(town, graph.verify());
    const { commit } = await settled(town, graph.flush());
    const [lost] = (await surveyCommit(graph.repository, commit)).lost;
    if (lost !== undefined) throw broken(`${graph.namespace} still lacks ${lost.kind} ${lost.path}`);
  }
}

/** An answer that comes while time goes on. */
async function settled<T>(town: TownWorld, work: Promise<T>): Promise<T> {
  let isOver = false;
  void work.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  await town.clock.runUntil(() => isOver, 60_000);
  return work;
}
