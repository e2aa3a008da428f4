import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { recoverCommit } from "../../src/manifests/recover-commit.ts";
import { realSite, type RealSite } from "../adapters/git/git-site.ts";
import { DyingProcess } from "./crash.ts";
import { poolText, rigText } from "./sample-kinds.ts";
import { BOB, MAIN, creation, deletion, edit, pool, writerSite, type WriterSite } from "./writer-site.ts";

describe("CommitWriter on real git", () => {
  let real: RealSite;
  beforeEach(() => {
    real = realSite();
  });
  afterEach(() => real.close());

  async function site(name = "town"): Promise<WriterSite & { status(): string }> {
    const root = join(real.root, name);
    const made = await writerSite({ git: real.git, files: createNodeFiles(), clock: systemClock, root });
    await made.commit({
      "manifests/a.yaml": poolText("a"),
      "manifests/b.yaml": poolText("b"),
      "manifests/deep/c.yaml": poolText("c"),
    });
    return { ...made, status: () => real.sh(root, "status", "--porcelain") };
  }
  const changes = async (town: WriterSite) => [
    await edit(town, pool("a"), { replicas: 5 }),
    creation(rigText("web")),
    await deletion(town, pool("c")),
  ];

  test("given changes of every sort, when written, then git finds all sound and clean and the author in the log", async () => {
    const town = await site();
    const writer = town.writer();
    await Promise.all((await changes(town)).map((change) => writer.write(change)));
    expect(town.status()).toBe("");
    expect(real.sh(town.root, "log", "-1", "--format=%an <%ae>|%cn|%s")).toBe(
      "Ada <ada@example.com>|Town|3 objects: agentpool api/a, rig web, agentpool api/c",
    );
    expect(real.sh(town.root, "show", "--stat", "--format=", "HEAD").split("\n")).toHaveLength(4);
    real.sh(town.root, "fsck", "--strict");
    expect(existsSync(join(town.root, "manifests/deep"))).toBe(false);
    expect(real.sh(town.root, "reflog", "-1", "--format=%gs")).toBe("town: manifests");
  });

  test("given a kill before or after any step, when another process recovers, then git status is clean", async () => {
    const whole = new DyingProcess(1_000, false);
    const first = await site("whole");
    const writer = first.writer({ repository: whole.repository(first.repository), files: whole.files(first.files) });
    await Promise.all((await changes(first)).map((change) => writer.write(change)));
    for (let at = 1; at <= whole.steps.length; at += 1) {
      for (const after of [false, true]) {
        const where = `${after ? "after" : "before"} step ${at}, ${whole.steps[at - 1]}`;
        const town = await site(`town-${at}-${after}`);
        const dying = new DyingProcess(at, after);
        const dyingWriter = town.writer({
          repository: dying.repository(town.repository),
          files: dying.files(town.files),
        });
        const settled = await Promise.allSettled((await changes(town)).map((change) => dyingWriter.write(change)));
        const acknowledged = settled.every((one) => one.status === "fulfilled");
        const other = real.another({
          owners: { self: async () => ({ pid: 1, startTime: "other", bootId: "" }), probe: async () => "Dead" },
        });
        const repository = await other.open(town.root);
        if (repository === undefined) throw new Error(where);
        await recoverCommit(repository, town.files, MAIN);
        expect(town.status(), where).toBe("");
        expect(existsSync(join(town.root, ".git/index.lock")), where).toBe(false);
        const isMade = real.sh(town.root, "rev-list", "--count", "main") === "2";
        if (acknowledged) expect(isMade, where).toBe(true);
        expect(await town.read("manifests/a.yaml"), where).toBe(poolText("a", isMade ? 5 : 1));
        await repository.objects.close();
      }
    }
  });

  test("given a person who stages, commits and checks out meanwhile, when writes go on, then nobody loses anything", async () => {
    const town = await site();
    const run = promisify(execFile);
    const git = async (...args: string[]) =>
      run("git", ["-c", "user.name=U", "-c", "user.email=u@x", ...args], { cwd: town.root, env: real.environment });
    const writer = town.writer();
    let stop = false;
    let commits = 0;
    const person = (async () => {
      for (let turn = 0; !stop; turn += 1) {
        await town.save("notes.txt", `${turn}\n`);
        const made = await git("add", "notes.txt")
          .then(
            async () => git("commit", "-qm", `note ${turn}`),
            () => undefined,
          )
          .catch(() => undefined);
        if (made !== undefined) commits += 1;
      }
    })();
    const accepted: number[] = [];
    for (let replicas = 2; replicas <= 30; replicas += 1) {
      await writer.write(await edit(town, pool("a"), { replicas })).then(
        () => accepted.push(replicas),
        (error: unknown) => expect(error).toMatchObject({ code: 409 }),
      );
    }
    stop = true;
    await person;
    expect(accepted.length).toBeGreaterThan(5);
    expect(commits).toBeGreaterThan(0);
    expect(await town.tip("manifests/a.yaml")).toBe(poolText("a", accepted.at(-1)));
    const subjects = real.sh(town.root, "log", "--format=%s").split("\n");
    expect(subjects.filter((subject) => subject.startsWith("agentpool"))).toHaveLength(accepted.length);
    expect(subjects.filter((subject) => subject.startsWith("note"))).toHaveLength(commits);
    real.sh(town.root, "fsck", "--strict");
    expect(real.sh(town.root, "status", "--porcelain", "manifests")).toBe("");
  });

  test("given a linked worktree with the branch, when written, then its files follow and the main checkout's do not change", async () => {
    const town = await site();
    real.sh(town.root, "checkout", "-q", "-b", "elsewhere");
    const linked = join(real.root, "linked");
    real.sh(town.root, "worktree", "add", "-q", linked, "main");
    await town.writer().write(await edit(town, pool("a"), { replicas: 5 }));
    expect(real.sh(linked, "status", "--porcelain")).toBe("");
    expect(await town.files.readText(join(linked, "manifests/a.yaml"))).toBe(poolText("a", 5));
    expect(await town.read("manifests/a.yaml")).toBe(poolText("a"));
    expect(town.status()).toBe("");
  });

  test("given a remote that is the truth, when two towns write at once, then both are on the remote in a line and both checkouts are clean", async () => {
    const shared = join(real.root, "shared.git");
    await real.git.init(shared, { bare: true, branch: "main" });
    const one = await site("one");
    real.sh(one.root, "remote", "add", "origin", shared);
    real.sh(one.root, "push", "-q", "origin", "main");
    const root = join(real.root, "two");
    real.sh(real.root, "clone", "-q", shared, root);
    const two = await writerSite({ git: real.git, files: createNodeFiles(), clock: systemClock, root });
    const target = async () => ({ branch: MAIN, directory: "manifests", remote: "origin" });
    const [a, b] = [await edit(one, pool("a"), { replicas: 5 }), await edit(one, pool("b"), { replicas: 6 }, BOB)];
    const [first, second] = [one.writer({ target }), two.writer({ target })];
    await Promise.all([first.write(a), second.write(b)]);
    expect(real.sh(shared, "rev-list", "--count", "--first-parent", "main")).toBe("3");
    expect(real.sh(shared, "show", "main:manifests/a.yaml")).toBe(poolText("a", 5).trim());
    expect(real.sh(shared, "show", "main:manifests/b.yaml")).toBe(poolText("b", 6).trim());
    for (const place of [one.root, root]) expect(real.sh(place, "status", "--porcelain")).toBe("");
  });

  test("given a process killed with SIGKILL while it writes, when another recovers, then git status is clean and what was acknowledged is there", async () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), "town-kill-")));
    try {
      for (let round = 0; round < 6; round += 1) {
        const town = await site(`kill-${round}`);
        const script = join(import.meta.dirname, "writer-process.ts");
        const child = spawn(process.execPath, ["--import", "tsx", script, town.root], {
          env: { ...real.environment },
          stdio: ["ignore", "pipe", "inherit"],
          cwd: join(import.meta.dirname, "../.."),
        });
        let acknowledged = 1;
        await new Promise<void>((resolve) => {
          child.stdout.on("data", (chunk: Buffer) => {
            for (const line of chunk.toString().split("\n")) if (line !== "") acknowledged = Number(line);
            if (acknowledged >= 4) setTimeout(() => child.kill("SIGKILL"), Math.random() * 25);
          });
          child.on("exit", () => resolve());
        });
        const other = real.another();
        const repository = await other.open(town.root);
        if (repository === undefined) throw new Error("not opened");
        await recoverCommit(repository, town.files, MAIN);
        expect(town.status()).toBe("");
        const replicas = Number(/replicas: (\d+)/.exec((await town.read("manifests/a.yaml")) ?? "")?.[1]);
        expect(replicas).toBeGreaterThanOrEqual(acknowledged);
      }
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
