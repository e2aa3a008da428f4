import type { BdContext, BdResult } from "../../src/bd/context.ts";
import { oneGraph } from "../../src/bd/context.ts";
import { runBd } from "../../src/bd/run-bd.ts";
import { bdTools } from "../../src/daemon/bd-tools.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import type { Files } from "../../src/ports/files.ts";
import { graphWorld, type GraphWorld } from "../graph/graph-world.ts";

export interface BdWorld {
  readonly world: GraphWorld;
  readonly graph: GitGraph;
  readonly files: Files;
  /** Runs one command line given as words. */
  run(argv: readonly string[], more?: Partial<BdContext>): Promise<BdResult>;
  /** stdout of a command that must succeed. */
  out(...argv: readonly string[]): Promise<string>;
  /** The JSON of a command that must succeed. */
  json<T = Record<string, unknown>>(...argv: readonly string[]): Promise<T>;
  /** stderr of a command that must fail. */
  fails(...argv: readonly string[]): Promise<string>;
  /** Makes a bead and answers its id. */
  make(title: string, ...flags: readonly string[]): Promise<string>;
  /** Lets time pass, with nothing of the store left undone. */
  pass(ms: number): Promise<void>;
}

/** bd on an in-memory store. The clock starts at 2026-11-22T18:00:00Z; ids are counted: `api-a00001`, …. */
export async function bdWorld(seed: number | string = 1): Promise<BdWorld> {
  const world = await graphWorld(seed);
  await world.clock.advance(Date.parse("2026-11-22T18:00:00Z") - world.clock.now());
  let made = 0;
  const random = {
    ...world.random,
    float: () => world.random.float(),
    uuid: () => world.random.uuid(),
    secret: (bytes: number) => world.random.secret(bytes),
    base36: (length: number) => `a${String((made += 1)).padStart(length - 1, "0")}`,
  };
  const { graph, files } = await world.open("/repo", { random });
  await files.makeDirectory("/home/alice");
  const base: BdContext = {
    graphs: oneGraph(graph),
    home: graph,
    actor: "alice",
    owner: "alice@example.com",
    clock: world.clock,
    files,
    cwd: "/home/alice",
    isTerminal: false,
    env: {},
    version: "1.2.3",
    tools: bdTools({ storeOf: () => graph, files, clock: world.clock, random }),
  };
  const run = (argv: readonly string[], more: Partial<BdContext> = {}): Promise<BdResult> =>
    runBd(argv, { ...base, ...more });
  const out = async (...argv: readonly string[]): Promise<string> => {
    const { stdout, stderr, exitCode } = await run(argv);
    if (exitCode !== 0) throw new Error(`bd ${argv.join(" ")} failed: ${stderr}`);
    return stdout.replace(/\n$/, "");
  };
  return {
    world,
    graph,
    files,
    run,
    out,
    json: async <T>(...argv: readonly string[]) => JSON.parse(await out(...argv, "--json")) as T,
    fails: async (...argv) => {
      const { stdout, stderr, exitCode } = await run(argv);
      if (exitCode === 0) throw new Error(`bd ${argv.join(" ")} did not fail: ${stdout}`);
      return stderr;
    },
    make: (title, ...flags) => out("create", title, "--silent", ...flags),
    pass: async (ms) => {
      await graph.flush();
      await world.clock.advance(ms);
    },
  };
}

/** `api-a00002` is free, `api-a00003` an epic with the child `api-a00003.1`, `api-a00004` closed. */
export async function shop(): Promise<BdWorld> {
  const bd = await bdWorld();
  await bd.make("free", "-d", "text", "-l", "x");
  await bd.make("goal", "-t", "epic");
  await bd.make("part", "--parent", "api-a00003");
  await bd.make("gone");
  await bd.out("close", "api-a00004");
  return bd;
}
