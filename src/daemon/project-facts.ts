import type { Repository } from "../ports/git.ts";

/** A command that a project's own files name for a purpose. */
export interface GateGuess {
  readonly name: string;
  readonly command: string;
}

export interface ProjectFacts {
  /** Makes a fresh worktree ready to work in; undefined: nothing was recognised. */
  readonly setup: string | undefined;
  /** Most telling first. */
  readonly gates: readonly GateGuess[];
}

/** Reads a file at the top of the project; undefined when there is none. */
type TopFile = (name: string) => Promise<string | undefined>;

const NOTHING: ProjectFacts = { setup: undefined, gates: [] };

/** What the files at the top of a commit say about how the project is built and tested. Reads no worktree, runs nothing. */
export async function readProjectFacts(repository: Repository, revision: string): Promise<ProjectFacts> {
  const commit = await repository.resolve(revision);
  const tree = commit === undefined ? undefined : (await repository.objects.readCommit(commit))?.tree;
  if (tree === undefined) return NOTHING;
  const entries = new Map((await repository.objects.readTree(tree)).map((entry) => [entry.name, entry.id]));
  const read: TopFile = async (name) => {
    const id = entries.get(name);
    return id === undefined ? undefined : repository.objects.readBlob(id);
  };
  return factsOf((name) => entries.has(name), read);
}

async function factsOf(has: (name: string) => boolean, read: TopFile): Promise<ProjectFacts> {
  const manifest = await read("package.json");
  const found = [
    ...(manifest === undefined ? [] : [nodeFacts(manifest, has)]),
    ...(has("Cargo.toml") ? [facts(undefined, ["test", "cargo test"], ["lint", "cargo clippy -- -D warnings"])] : []),
    ...(has("go.mod") ? [facts(undefined, ["test", "go test ./..."], ["vet", "go vet ./..."])] : []),
    ...(has("pyproject.toml") || has("setup.py") ? [pythonFacts(has)] : []),
    makeFacts((await read("Makefile")) ?? (await read("makefile")) ?? ""),
  ];
  return {
    setup: found.find(({ setup }) => setup !== undefined)?.setup,
    gates: uniqueByName(found.flatMap(({ gates }) => gates)),
  };
}

function facts(
  setup: string | undefined,
  ...gates: readonly (readonly [name: string, command: string])[]
): ProjectFacts {
  return { setup, gates: gates.map(([name, command]) => ({ name, command })) };
}

const NODE_TOOLS = [
  { lock: "pnpm-lock.yaml", run: "pnpm", setup: "pnpm install --frozen-lockfile" },
  { lock: "yarn.lock", run: "yarn", setup: "yarn install --immutable" },
  { lock: "bun.lock", run: "bun run", setup: "bun install --frozen-lockfile" },
  { lock: "package-lock.json", run: "npm run", setup: "npm ci" },
] as const;
const NODE_GATES = ["test", "check", "typecheck", "lint", "build"] as const;

function nodeFacts(manifest: string, has: (name: string) => boolean): ProjectFacts {
  const tool = NODE_TOOLS.find(({ lock }) => has(lock));
  const scripts = scriptsOf(manifest);
  const run = tool?.run ?? "npm run";
  return {
    setup: tool?.setup,
    gates: NODE_GATES.filter((name) => scripts[name] !== undefined && !/no test specified/.test(scripts[name])).map(
      (name) => ({ name, command: name === "test" && run === "npm run" ? "npm test" : `${run} ${name}` }),
    ),
  };
}

function scriptsOf(manifest: string): Readonly<Record<string, string>> {
  try {
    const { scripts } = JSON.parse(manifest) as { readonly scripts?: Readonly<Record<string, unknown>> };
    return Object.fromEntries(
      Object.entries(scripts ?? {}).flatMap(([name, text]) => (typeof text === "string" ? [[name, text]] : [])),
    );
  } catch {
    return {};
  }
}

function pythonFacts(has: (name: string) => boolean): ProjectFacts {
  return has("uv.lock")
    ? facts("uv sync --frozen", ["test", "uv run pytest"])
    : facts(undefined, ["test", "python -m pytest"]);
}

function makeFacts(makefile: string): ProjectFacts {
  const targets = new Set([...makefile.matchAll(/^([a-z][a-z-]*)\s*:(?!=)/gm)].map(([, target]) => target ?? ""));
  return facts(
    undefined,
    ...["test", "check", "lint"].filter((name) => targets.has(name)).map((name) => [name, `make ${name}`] as const),
  );
}

/** The first of each name. */
function uniqueByName(gates: readonly GateGuess[]): readonly GateGuess[] {
  return gates.filter(({ name }, index) => gates.findIndex((gate) => gate.name === name) === index);
}

/** The facts as comments for the end of a Rig's `spec`, ready to be uncommented; empty when nothing was found. */
export function suggestionComments({ setup, gates }: ProjectFacts): string {
  if (setup === undefined && gates.length === 0) return "";
  const lines = [
    ...(setup === undefined ? [] : ["setup:", `  command: ${JSON.stringify(setup)}`]),
    ...(gates.length === 0 ? [] : ["merge:", "  gates:"]),
    ...gates.flatMap(({ name, command }) => [`    - name: ${name}`, `      command: ${JSON.stringify(command)}`]),
  ];
  return ["  # Found in the repository; uncomment what should hold.", ...lines.map((line) => `  # ${line}`), ""].join(
    "\n",
  );
}
