import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../src/simulation/seeded-random.ts";

const cli = fileURLToPath(new URL("../../dist/bin/town.cjs", import.meta.url));

/** `npm run contention` sets BD_CONTENTION=long: twenty times as many commands, for a machine that has the time. */
const isLong = process.env["BD_CONTENTION"] === "long";
const actors = 50;
const rounds = isLong ? 20 : 1;
/** One of so many commands is killed somewhere on its way. */
const killEvery = 5;

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  /** Undefined: it was killed, so what it did is not known. */
  readonly exitCode: number | undefined;
}

let root: string;
let repository: string;
let environment: Record<string, string>;

beforeAll(() => {
  if (!existsSync(cli)) throw new Error("dist/ is not built: run `npm run build` first");
  root = realpathSync(mkdtempSync(join(tmpdir(), "town-bd-many-")));
  repository = join(root, "shop");
  mkdirSync(repository);
  environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: root,
    GIT_CONFIG_GLOBAL: join(root, "gitconfig"),
    GIT_CONFIG_NOSYSTEM: "1",
    USER: "x",
  };
  execFileSync("git", ["init", "--quiet", repository], { env: environment });
});
afterAll(() => rmSync(root, { recursive: true, force: true }), 600_000);

/** Exit code of a store that somebody else had for too long: nothing was done, and trying again helps. */
const busy = 6;
const attempts = 5;

/** As a script runs it: again when the store was busy. */
async function bd(actor: string, argv: readonly string[], killAfterMs?: number): Promise<Ended> {
  for (let attempt = 1; ; attempt += 1) {
    const ended = await bdOnce(actor, argv, killAfterMs);
    if (ended.exitCode !== busy || attempt === attempts) return ended;
  }
}

/** One bd command as a process of its own; with `killAfterMs`, ended by SIGKILL if it still runs then. */
function bdOnce(actor: string, argv: readonly string[], killAfterMs?: number): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, "bd", "--actor", actor, ...argv], {
      cwd: repository,
      env: environment,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
    child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
    const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ stdout, stderr, exitCode: code ?? undefined });
    });
  });
}

interface Claim {
  readonly id: string;
  readonly actor: string;
}

describe("many processes on one store", () => {
  test(
    `given ${actors} processes at once that create, claim and close, some of them killed, when all have ended, then nothing acknowledged is lost and no bead was given to two`,
    async () => {
      const random = seededRandom(7);
      const created = new Set<string>();
      const claims: Claim[] = [];
      const closed = new Set<string>();
      const failures: string[] = [];
      const killDelay = (i: number): number | undefined =>
        i % killEvery === 0 ? 300 + random.float() * 3_000 : undefined;
      const note = (what: string, ended: Ended): boolean => {
        if (ended.exitCode !== undefined && ended.exitCode !== 0) failures.push(`${what}: ${ended.stderr}`);
        return ended.exitCode === 0;
      };

      const work = async (i: number): Promise<void> => {
        const actor = `agent-${i}`;
        for (let round = 0; round < rounds; round += 1) {
          const make = await bd(actor, ["create", `of ${actor}, ${round}`, "--silent"], killDelay(i));
          if (note("create", make)) created.add(make.stdout.trim());
          const claim = await bd(actor, ["ready", "--claim", "--json"], killDelay(i + 1));
          if (!note("claim", claim)) continue;
          const [taken] = JSON.parse(claim.stdout) as { id: string }[];
          if (taken === undefined) continue;
          claims.push({ id: taken.id, actor });
          if (i % 2 === 0) continue;
          const end = await bd(actor, ["close", taken.id, "--reason", `by ${actor}`], killDelay(i + 2));
          if (note("close", end)) closed.add(taken.id);
        }
      };
      await Promise.all(Array.from({ length: actors }, (_, i) => work(i)));

      expect(failures).toEqual([]);
      const { stdout } = await bd("reader", ["list", "--all", "--limit", "0", "--json"]);
      const records = new Map(
        (JSON.parse(stdout) as { id: string; assignee?: string; status: string; close_reason?: string }[]).map(
          (record) => [record.id, record],
        ),
      );
      expect([...created].filter((id) => !records.has(id))).toEqual([]);
      expect(created.size).toBeGreaterThan(actors * rounds * 0.5);
      expect(claims.length).toBeGreaterThan(actors * rounds * 0.4);
      expect(new Set(claims.map(({ id }) => id)).size).toBe(claims.length);
      for (const { id, actor } of claims) expect(records.get(id)?.assignee).toBe(actor);
      for (const id of closed) expect(records.get(id)?.status).toBe("closed");
      const doctor = await bd("reader", ["doctor", "--json"]);
      const checks = (JSON.parse(doctor.stdout) as { checks: { name: string; status: string }[] }).checks;
      expect(checks.filter(({ status }) => status === "error")).toEqual([]);
      execFileSync("git", ["fsck", "--strict", "--no-dangling"], { cwd: repository, env: environment, stdio: "pipe" });
      expect(
        execFileSync("git", ["log", "--oneline", "town/work"], { cwd: repository, env: environment, encoding: "utf8" }),
      ).not.toBe("");
    },
    isLong ? 3_600_000 : 240_000,
  );
});
