import { type ChaosTown, itemName } from "./chaos-town.ts";
import { panesOf } from "./faults.ts";
import { sessionsOf } from "./session-witness.ts";

interface BeadObject {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly id: string; readonly title: string; readonly type?: string };
  readonly status: { readonly state: string; readonly closeReason?: string };
}

interface HistoryEvent {
  readonly changes: readonly { readonly field: string; readonly new_value?: unknown }[];
}

/** Everything that must hold once the convoy closed; what does not, one sentence each. */
export function wrongAtTheEnd(town: ChaosTown): readonly string[] {
  const beads = (
    (town.process.json("get", "beads", "-n", "api") as { items: BeadObject[] } | undefined)?.items ?? []
  ).filter((bead) => bead.spec.title.startsWith("Write item-"));
  const { beads: expected } = town.options;
  return [
    ...(beads.length === expected ? [] : [`${beads.length} beads for ${expected} items`]),
    ...beads.flatMap((bead) => wrongBead(town, bead)),
    ...wrongTarget(town, beads),
    ...wrongSessions(town),
  ];
}

function wrongBead(town: ChaosTown, { spec, status }: BeadObject): readonly string[] {
  const { id } = spec;
  if (status.state !== "closed") return [`${id} is ${status.state}`];
  const answer = town.process.run("bd", "history", id, "--json", "-C", "api");
  if (answer.status !== 0) return [`${id} has no history: ${answer.stderr}`];
  const history = JSON.parse(answer.stdout) as readonly HistoryEvent[];
  const closes = history.flatMap(({ changes }) =>
    changes.filter(({ field, new_value }) => field === "status" && new_value === "closed"),
  );
  return closes.length === 1 ? [] : [`${id} was closed ${closes.length} times`];
}

/** Each bead landed once, its file is whole, and its commits say who made them and for what. */
function wrongTarget(town: ChaosTown, beads: readonly BeadObject[]): readonly string[] {
  const wrong: string[] = [];
  const landed = town.landed();
  for (const [index, bead] of beads.toSorted((a, b) => a.spec.title.localeCompare(b.spec.title)).entries()) {
    const { id } = bead.spec;
    const times = landed.filter((each) => each === id).length;
    if (times !== 1) wrong.push(`${id} landed ${times} times`);
    const path = `work/${itemName(index)}.txt`;
    const text = town.process.git(town.project, "show", `main:${path}`);
    if (text !== `${id}\n${itemName(index)}`) wrong.push(`${path} holds ${JSON.stringify(text)}`);
    const commits = town.process
      .git(
        town.project,
        "log",
        "--no-merges",
        "--format=%an|%ae|%(trailers:key=Town-Bead,valueonly,separator=)|%(trailers:key=Town-Agent,valueonly,separator=)",
        "main",
        "--",
        path,
      )
      .split("\n");
    for (const commit of commits) {
      const [author = "", email, forBead, agent] = commit.split("|");
      if (
        !/^api\/polecats\/[a-z0-9-]+$/.test(author) ||
        email !== "pat@example.org" ||
        forBead !== id ||
        agent !== author
      )
        wrong.push(`a commit of ${id} is attributed as ${commit}`);
    }
  }
  if (town.process.git(town.project, "status", "--porcelain") !== "") wrong.push("the project's checkout is dirty");
  return wrong;
}

/** Once work is over exactly the crew runs, each session once, and nothing else of the town is left. */
function wrongSessions(town: ChaosTown): readonly string[] {
  const living = sessionsOf(town.sessionLabel);
  const wrong = living.filter(({ name }) => !name.startsWith("api-crew-")).map(({ name }) => `${name} is left over`);
  const crew = living.filter(({ name }) => name.startsWith("api-crew-"));
  if (crew.length !== town.options.crew) wrong.push(`${crew.length} crew sessions run, not ${town.options.crew}`);
  const panes = panesOf(town).length;
  if (town.options.runtime === "Tmux" && panes !== town.options.crew)
    wrong.push(`${panes} panes live, not ${town.options.crew}`);
  return wrong;
}
