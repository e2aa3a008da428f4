import { expect, it } from "vitest";
import { TownError } from "../../../src/errors/town-error.ts";
import type { Git, Repository } from "../../../src/ports/git.ts";
import { MemoryGit } from "../../../src/simulation/memory-git.ts";
import { realSite, type RealSite } from "./git-site.ts";
import { fc, fuzzRuns } from "../../property.ts";

/** One of the two worlds: where its paths start, and hands to edit files. */
interface World {
  readonly git: Git;
  readonly root: string;
  readonly repository: Repository;
  write(path: string, text: string): Promise<void>;
  read(path: string): Promise<string | undefined>;
  remove(path: string): Promise<void>;
}

interface Step {
  (world: World, clock: { now: number }): Promise<unknown>;
}

function named<T>(name: string, make: (value: T) => Step): (value: T) => Step {
  return (value) => Object.assign(make(value), { [fc.toStringMethod]: () => `${name} ${JSON.stringify(value)}` });
}

const branches = ["main", "side"] as const;
const places = { main: "repo", side: "w/side" } as const;
const files = ["a", "d/b", "d/e/c"] as const;
const who = (timeMs: number) => ({ name: "A", email: "a@x", timeMs });

/** Twelve lines that no other file shares, so that no rename is seen in a merge (the twin detects none). */
function linesOf(text: string | undefined, file: string): string[] {
  return text === undefined || text === ""
    ? Array.from({ length: 12 }, (_, i) => `${file} line ${i}`)
    : text.trimEnd().split("\n");
}

const branch = fc.constantFrom(...branches);
const file = fc.constantFrom(...files);

const edit = fc.record({ branch, file, line: fc.nat(11), text: fc.nat(99) }).map(
  named(
    "edit",
    ({ branch: on, file: name, line, text }): Step =>
      async (world) => {
        const path = `${world.root}/${places[on]}/${name}`;
        if (on === "side" && (await world.read(`${world.root}/${places[on]}/.git`)) === undefined) return "no checkout";
        const lines = linesOf(await world.read(path), name);
        lines[line] = `${name} edited ${text}`;
        await world.write(path, `${lines.join("\n")}\n`);
        return undefined;
      },
  ),
);

const remove = fc.record({ branch, file }).map(
  named(
    "remove",
    ({ branch: on, file: name }): Step =>
      async (world) => {
        const path = `${world.root}/${places[on]}/${name}`;
        if ((await world.read(path)) !== undefined) await world.remove(path);
      },
  ),
);

const commit = branch.map(
  named(
    "commit",
    (on): Step =>
      async (world, clock) => {
        clock.now += 1000;
        return world.repository.commitAll(`${world.root}/${places[on]}`, `on ${on}`, who(clock.now), who(clock.now));
      },
  ),
);

const status = branch.map(
  named(
    "status",
    (on): Step =>
      (world) =>
        world.repository.worktreeStatus(`${world.root}/${places[on]}`),
  ),
);

const merge = branch.map(
  named(
    "merge",
    (on): Step =>
      async ({ repository }, clock) => {
        clock.now += 1000;
        const [ours = "", theirs = ""] = await Promise.all(
          [on, on === "main" ? "side" : "main"].map((one) => repository.resolve(one)),
        );
        const { tree, conflicts } = await repository.mergeTree(ours, theirs);
        if (conflicts.length > 0) return conflicts;
        const id = await repository.objects.writeCommit({
          tree,
          parents: [ours, theirs],
          message: "merge",
          author: who(clock.now),
          committer: who(clock.now),
        });
        // Lands in refs/town, where the move of the checked-out branch takes it from.
        return [tree, await repository.updateRefs([{ ref: `refs/town/${on}`, to: id }], "merge")];
      },
  ),
);

const forward = branch.map(
  named(
    "forward",
    (on): Step =>
      async ({ repository, root }) => {
        const [from = "", to = ""] = await Promise.all(
          [`refs/heads/${on}`, `refs/town/${on}`].map((ref) => repository.resolve(ref)),
        );
        return repository.fastForwardWorktree(`${root}/${places[on]}`, on, from, to);
      },
  ),
);

const refs = fc
  .record({
    on: branch,
    from: fc.constantFrom("main", "side", null, undefined),
    to: fc.constantFrom("main", "side", null),
    dir: fc.boolean(),
  })
  .map(
    named(
      "refs",
      ({ on, from, to, dir }): Step =>
        async ({ repository }) => {
          const id = async (name: string | null | undefined) =>
            name === null || name === undefined ? name : ((await repository.resolve(name)) ?? null);
          const expected = await id(from);
          const ref = dir ? `refs/keep/${on}/sub` : `refs/keep/${on}`;
          return repository.updateRefs(
            [{ ref, to: (await id(to)) ?? null, ...(expected === undefined ? {} : { from: expected }) }],
            "r",
          );
        },
    ),
  );

const worktree = fc.constantFrom("add", "remove", "reset").map(
  named(
    "worktree",
    (what): Step =>
      async ({ repository, root }) => {
        const path = `${root}/${places.side}`;
        if (what === "add") return repository.addWorktree({ path, commit: "main", branch: "side" });
        if (what === "remove") return repository.removeWorktree(path);
        return repository.resetWorktree(path, "main");
      },
  ),
);

const look: Step = async ({ repository, root }) => {
  const worktrees = (await repository.worktrees()).map((one) => ({ ...one, path: one.path.slice(root.length) }));
  const [main, side] = await Promise.all(branches.map((name) => repository.resolve(name)));
  const pair = [main ?? "", side ?? main ?? ""] as const;
  return {
    worktrees,
    refs: await repository.listRefs("refs/"),
    head: await repository.headBranch(),
    base: main === undefined ? undefined : await repository.mergeBase(...pair),
    ancestor:
      main === undefined
        ? undefined
        : [await repository.isAncestor(...pair), await repository.isAncestor(pair[1], pair[0])],
    log: main === undefined ? [] : (await repository.log(...pair, 100)).map((one) => JSON.stringify(one)).sort(),
    changed: main === undefined ? [] : await repository.changedFiles(...pair),
    files: main === undefined ? [] : await repository.listFiles(pair[1], "d"),
    diff: main === undefined ? "" : plainDiff(await repository.diff(...pair, 1_000_000)),
  };
};

/** Abbreviated ids and the functions that git names behind `@@` are its own business. */
function plainDiff(text: string): string {
  return text.replace(/^index .*$/gm, "index").replace(/^(@@ .* @@).*$/gm, "$1");
}

const lookAround = fc.constant("around").map(named("look", () => look));
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: edit },
    { weight: 3, arbitrary: commit },
    merge,
    forward,
    refs,
    worktree,
    remove,
    status,
    lookAround,
  ),
  { minLength: 10, maxLength: 30 },
);

/** Most histories start with something to branch from. */
const begin: Step = async (world, clock) => {
  for (const name of files) await world.write(`${world.root}/repo/${name}`, `${linesOf(undefined, name).join("\n")}\n`);
  clock.now += 1000;
  await world.repository.commitAll(`${world.root}/repo`, "begin", who(clock.now), who(clock.now));
  return world.repository.addWorktree({ path: `${world.root}/${places.side}`, commit: "main", branch: "side" });
};

async function outcome(step: Step, world: World, now: number): Promise<{ value: unknown } | { refused: string }> {
  try {
    return { value: await step(world, { now }) };
  } catch (error) {
    if (error instanceof TownError) return { refused: error.reason };
    throw error;
  }
}

function hands(site: RealSite): Pick<World, "write" | "read" | "remove"> {
  return {
    write: (path, text) => site.write(path, text),
    read: (path) => site.read(path),
    remove: (path) => site.remove(path),
  };
}

it("given any history of edits, commits, merges and ref moves, when made in memory and with git, then every answer is the same", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const site = realSite();
      const memory = new MemoryGit();
      const twin = {
        write: (path: string, text: string) => memory.writeFile("", path.slice(1), text),
        read: (path: string) => memory.readFile("", path.slice(1)),
        remove: (path: string) => memory.removeFile("", path.slice(1)),
      };
      const open = async (git: Git, root: string) => git.init(`${root}/repo`, { bare: false, branch: "main" });
      const worlds: World[] = [
        {
          git: site.git,
          root: site.root,
          repository: await open(site.git, site.root),
          ...hands(site),
        },
        { git: memory, root: "/m", repository: await open(memory, "/m"), ...twin },
      ];
      let now = 1_700_000_000_000;
      try {
        for (const step of [begin, ...history, look]) {
          now += 60_000;
          const answers = [];
          for (const world of worlds) answers.push(await outcome(step, world, now));
          expect(answers[1]).toEqual(answers[0]);
        }
      } finally {
        await site.close();
      }
    }),
    { numRuns: fuzzRuns(20) },
  );
});
