import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readProjectFacts, suggestionComments } from "../../src/daemon/project-facts.ts";
import { MemoryGit } from "../../src/simulation/memory-git.ts";

async function factsOf(files: Readonly<Record<string, string>>) {
  const git = new MemoryGit();
  const repository = await git.init("/project", { bare: false, branch: "main" });
  for (const [path, text] of Object.entries(files)) await git.writeFile("/project", path, text);
  await git.commit("/project", "begin\n");
  return readProjectFacts(repository, "refs/heads/main");
}

describe("what a project's files say", () => {
  const rows: readonly {
    because: string;
    files: Readonly<Record<string, string>>;
    setup: string | undefined;
    gates: readonly string[];
  }[] = [
    {
      because: "npm with a lock file",
      files: { "package.json": '{"scripts":{"test":"vitest","lint":"x"}}', "package-lock.json": "{}" },
      setup: "npm ci",
      gates: ["npm test", "npm run lint"],
    },
    {
      because: "pnpm",
      files: { "package.json": '{"scripts":{"test":"vitest"}}', "pnpm-lock.yaml": "" },
      setup: "pnpm install --frozen-lockfile",
      gates: ["pnpm test"],
    },
    {
      because: "npm's placeholder is no test",
      files: { "package.json": '{"scripts":{"test":"echo \\"Error: no test specified\\" && exit 1"}}' },
      setup: undefined,
      gates: [],
    },
    { because: "a broken package.json", files: { "package.json": "{" }, setup: undefined, gates: [] },
    {
      because: "cargo",
      files: { "Cargo.toml": "" },
      setup: undefined,
      gates: ["cargo test", "cargo clippy -- -D warnings"],
    },
    {
      because: "make targets, not its variables",
      files: { Makefile: "test := x\ncheck: build\n\tsh check.sh\n" },
      setup: undefined,
      gates: ["make check"],
    },
    {
      because: "the first to name a gate wins",
      files: { "go.mod": "", Makefile: "test:\n\tgo test\n" },
      setup: undefined,
      gates: ["go test ./...", "go vet ./..."],
    },
    { because: "nothing is known", files: { "README.md": "x" }, setup: undefined, gates: [] },
  ];

  it.each(rows)("given $because, when read, then the gates are $gates", async ({ files, setup, gates }) => {
    const facts = await factsOf(files);
    expect(facts.setup).toBe(setup);
    expect(facts.gates.map(({ command }) => command)).toEqual(gates);
  });

  it("given facts, when they are uncommented, then they are fields of a rig's spec", async () => {
    const facts = await factsOf({ "package.json": '{"scripts":{"test":"a"}}', "package-lock.json": "{}" });
    const spec = suggestionComments(facts)
      .split("\n")
      .slice(1)
      .map((line) => line.replace(/^ {2}# /, ""))
      .join("\n");
    expect(parse(spec)).toEqual({
      setup: { command: "npm ci" },
      merge: { gates: [{ name: "test", command: "npm test" }] },
    });
  });
});
