import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { processPrograms } from "../../../src/cli/process-programs.ts";
import { FakeTown } from "../fake-town.ts";
import { runTown } from "../run-town.ts";

describe("town blame-agent", () => {
  let cwd: string;
  const git = (...args: readonly string[]): Promise<unknown> =>
    execa("git", ["-c", "user.name=ada", "-c", "user.email=ada@example.org", ...args], { cwd });
  const blame = (line: string): ReturnType<typeof runTown> =>
    runTown(new FakeTown(), `blame-agent ${line}`, { cwd, programs: processPrograms });

  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), "town-blame-"));
    await git("init", "-q", "-b", "main");
    await writeFile(join(cwd, "greet.txt"), "one\ntwo\n");
    await git("add", "-A");
    await git("commit", "-q", "-m", "by hand");
    await writeFile(join(cwd, "greet.txt"), "one\nsecond\n");
    await git(
      "commit",
      "-qam",
      "Say it well\n\nTown-Bead: api-1\nTown-Agent: api/polecats/toast\nTown-Session: toast@3",
    );
  });
  afterEach(() => rm(cwd, { recursive: true, force: true }));

  it("given lines of a person and of an agent, then each has its author, agent and bead", async () => {
    const { code, out } = await blame("greet.txt");
    expect([code, out.replace(/[0-9a-f]{8}/g, "<commit>")]).toEqual([
      0,
      "COMMIT     BY                   BEAD    LINE   TEXT\n" +
        "<commit>   ada                  -       1      one\n" +
        "<commit>   api/polecats/toast   api-1   2      second\n",
    ]);
  });

  it("given -o json and -L, then the lines asked for with all that is known", async () => {
    const { out } = await blame("greet.txt -L 2,2 -o json");
    expect(JSON.parse(out)).toMatchObject([
      { line: 2, text: "second", agent: "api/polecats/toast", bead: "api-1", session: "toast@3", author: "ada" },
    ]);
  });

  it("given a former revision, and a line that is not committed, then those are told", async () => {
    expect((await blame("greet.txt --revision HEAD~1")).out).not.toContain("toast");
    await writeFile(join(cwd, "greet.txt"), "one\nsecond\nthird\n");
    expect((await blame("greet.txt")).out).toMatch(/-\s+Not Committed Yet\s+-\s+3\s+third/);
  });

  it("given a file that git does not know, then it says so and what is needed", async () => {
    const { code, err } = await blame("nothing.txt");
    expect([code, err]).toEqual([1, expect.stringMatching(/nothing\.txt.*\n.*tracked in a git repository/s)]);
  });
});
