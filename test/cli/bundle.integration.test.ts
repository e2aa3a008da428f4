import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFakeDaemon, TOKEN, type FakeDaemon } from "./fake-town-server.ts";
import type { FakeTown } from "./fake-town.ts";
import { sampleTown } from "./sample-town.ts";

// The two bundles as processes: what only shows there (exit codes, streams, falling from one to the other, stdin).

const cli = fileURLToPath(new URL("../../src/cli/", import.meta.url));
const root = realpathSync(mkdtempSync(join(tmpdir(), "town-bundle-")));
const bin = join(root, "dist", "bin");
let town: FakeTown;
let daemon: FakeDaemon;
let hotInputs: readonly string[];

beforeAll(async () => {
  const shared = {
    bundle: true,
    platform: "node",
    target: "node20.19",
    format: "cjs",
    minify: true,
    define: { __TOWN_VERSION__: '"1.2.3"' },
    metafile: true,
    logLevel: "error",
  } as const;
  const hot = await build({ ...shared, entryPoints: [join(cli, "hot.ts")], outfile: join(bin, "town.cjs") });
  await build({ ...shared, entryPoints: [join(cli, "full.ts")], outfile: join(bin, "town-full.cjs") });
  hotInputs = Object.keys(hot.metafile.inputs);
  writeFileSync(
    join(bin, "town-offline.cjs"),
    "(function (exports) { exports.runOffline = async (verb, args, streams) => { streams.out(JSON.stringify({ verb, args }) + '\\n'); return verb === 'validate' ? 1 : 0; }; })\n",
  );
  writeFileSync(join(root, "package.json"), '{"type":"module"}');
  town = sampleTown();
  town.verbs.set("prime", (args) => ({ body: { text: `primed ${JSON.stringify(args)}` } }));
  town.verbs.set("bd", (args) => ({ body: { text: JSON.stringify(args), exitCode: 3 } }));
  daemon = await startFakeDaemon(town);
});
afterAll(async () => {
  await daemon.close();
  rmSync(root, { recursive: true });
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(
  argv: readonly string[],
  options: { readonly cwd?: string; readonly stdin?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { PATH: process.env["PATH"], HOME: root, ...options.env };
    const child = execFile(
      process.execPath,
      [join(bin, "town.cjs"), ...argv],
      { cwd: options.cwd ?? daemon.directory, env, maxBuffer: 1e9 },
      (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code), out, err });
      },
    );
    child.stdin?.end(options.stdin ?? "");
  });
}

describe("the bundles", () => {
  it("given the hot bundle, when built, then it holds neither commander nor what only the rest needs", () => {
    expect(hotInputs.filter((path) => path.includes("node_modules"))).toEqual([]);
    expect(hotInputs.filter((path) => /program\.ts|process-programs|daemon-process|src\/offline/.test(path))).toEqual(
      [],
    );
    const required = [...readFileSync(join(bin, "town.cjs"), "utf8").matchAll(/require\("([^"]+)"\)/g)].map(
      (match) => match[1],
    );
    expect(new Set(required)).toEqual(
      new Set(["node:fs", "node:module", "node:net", "node:path", "node:tty", "node:url", "node:util", "node:vm"]),
    );
  });

  it.each([
    ["get", "pools"],
    ["describe", "pool", "crew"],
  ])("given a directory that was removed, when `%s` is run there, then it is said where that was", (...argv) => {
    const script = 'mkdir "$0/gone" && cd "$0/gone" && rmdir "$0/gone" && exec "$@"';
    const command = [root, process.execPath, join(bin, "town.cjs"), ...argv];
    const { status, stderr } = spawnSync("sh", ["-c", script, ...command], {
      env: { PATH: process.env["PATH"], HOME: root },
      encoding: "utf8",
    });
    expect(stderr).toContain(`no town at or above ${join(root, "gone")}`);
    expect(status).toBeGreaterThan(0);
  });

  it("given hot and other commands, when run, then both speak to the daemon and exit as they should", async () => {
    expect(await run(["get", "pool", "crew", "-n", "api"])).toEqual({
      code: 0,
      out: "NAME   ROLE   REPLICAS   RUNNING   AGE\ncrew   crew   3          3         60m\n",
      err: "",
    });
    expect(await run(["get", "pool", "nope"])).toMatchObject({ code: 4, out: "" });
    expect(await run(["prime", "--hook"], { stdin: '{"session_id":"s"}' })).toEqual({
      code: 0,
      out: expect.stringMatching(/^primed {"hook":{"session_id":"s"},"request":"[0-9-]+"}\n$/) as string,
      err: "",
    });
    expect(await run(["wait", "pool", "crew", "--for=condition=Ready"])).toEqual({
      code: 0,
      out: "agentpool.town.dev/crew condition met\n",
      err: "",
    });
    expect(await run(["version", "--client"])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^town 1\.2\.3 /) as string,
    });
    expect(await run(["gte"])).toMatchObject({ code: 2, err: expect.stringContaining("Did you mean get?") as string });
  });

  it("given bd, when run, then its arguments, stdin and exit code pass through", async () => {
    const handed = {
      cwd: realpathSync(daemon.directory),
      env: {},
      request: expect.stringMatching(/^\d+-\d+$/) as string,
    };
    const listed = await run(["bd", "list", "--json"]);
    expect(listed).toMatchObject({ code: 3, err: "" });
    expect(JSON.parse(listed.out)).toEqual({ ...handed, argv: ["list", "--json"] });
    const made = await run(["bead", "create", "--body-file", "-"], { stdin: "text" });
    expect(made.code).toBe(3);
    expect(JSON.parse(made.out)).toEqual({ ...handed, argv: ["create", "--body-file", "-"], stdin: "text" });
    expect(await run(["-C", daemon.directory, "ready"], { cwd: root })).toMatchObject({
      code: 3,
      out: expect.stringContaining('["ready"]') as string,
    });
  });

  it("given a session's variables, when run anywhere, then its own token is sent", async () => {
    writeFileSync(join(root, "token"), TOKEN);
    const env = { TOWN_SOCKET: daemon.socketPath, TOWN_TOKEN_FILE: join(root, "token") };
    expect(await run(["get", "rigs", "-o", "name"], { cwd: root, env })).toEqual({
      code: 0,
      out: "rig.town.dev/api\nrig.town.dev/web\n",
      err: "",
    });
    writeFileSync(join(root, "wrong"), "x");
    expect(
      await run(["get", "rigs"], { cwd: root, env: { ...env, TOWN_TOKEN_FILE: join(root, "wrong") } }),
    ).toMatchObject({ code: 1, err: "Error from server (Unauthorized): Unauthorized\n" });
  });

  it("given no daemon, when run, then bd and the offline verbs work on disk, the rest exits 6", async () => {
    const directory = join(root, "still");
    mkdirSync(join(directory, "manifests"), { recursive: true });
    execFileSync("git", ["init", "-q", directory], { env: { PATH: process.env["PATH"], HOME: root } });
    const cwd = directory;
    expect(await run(["get", "rigs"], { cwd })).toMatchObject({
      code: 6,
      err: expect.stringContaining("town up -d") as string,
    });
    expect(await run(["bd", "ready"], { cwd })).toMatchObject({
      code: 0,
      out: `${JSON.stringify({ verb: "bd", args: { argv: ["ready"], cwd } })}\n`,
    });
    expect(await run(["bd", "import"], { cwd, stdin: "{}" })).toMatchObject({
      code: 0,
      out: `${JSON.stringify({ verb: "bd", args: { argv: ["import"], stdin: "{}", cwd } })}\n`,
    });
    expect(await run(["__complete", "bead", "li"], { cwd })).toMatchObject({
      code: 0,
      out: `${JSON.stringify({ verb: "bd", args: { argv: ["__complete", "li"], cwd } })}\n`,
    });
    expect(await run(["validate", "x"], { cwd })).toMatchObject({
      code: 1,
      out: expect.stringContaining('"paths":["x"]') as string,
    });
    expect(await run(["diff", "a..b"], { cwd })).toMatchObject({
      code: 0,
      out: expect.stringContaining('"range":"a..b"') as string,
    });
    expect(await run(["-C", cwd, "init"], { cwd: root })).toMatchObject({
      out: expect.stringContaining(`"town":"${cwd}"`) as string,
    });
  });

  it("given an agent's session whose daemon is away, when bd runs, then it does not go to the disk under another name", async () => {
    const env = { TOWN_SOCKET: join(root, "no.sock"), TOWN_TOKEN_FILE: join(root, "token") };
    expect(await run(["bd", "ready"], { cwd: daemon.directory, env })).toMatchObject({ code: 6, out: "" });
  });

  /** Starts a command, sends the signal once it has printed something, and answers how it ended. */
  function interrupted(argv: readonly string[], cwd: string, signals: readonly NodeJS.Signals[]): Promise<Ran> {
    return new Promise((resolve) => {
      const child = spawn(process.execPath, [join(bin, "town.cjs"), ...argv], {
        cwd,
        env: { PATH: process.env["PATH"], HOME: root },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let out = "";
      let err = "";
      child.stdout.on("data", (data: Buffer) => {
        if (out === "") for (const signal of signals) child.kill(signal);
        out += data.toString();
      });
      child.stderr.on("data", (data: Buffer) => {
        err += data.toString();
      });
      child.on("close", (code) => resolve({ code: code ?? -1, out, err }));
    });
  }

  it("given Ctrl-C, when a watch runs, then it ends with 130 and no message", async () => {
    town.routes.set("/apis/town.dev/v1alpha1/rigs", (request) => {
      if (request.path.includes("watch=true")) return { lines: [], staysOpen: true };
      return {
        body: {
          kind: "Table",
          metadata: { resourceVersion: "1" },
          columnDefinitions: [{ name: "Name" }],
          rows: [{ cells: ["api"] }],
        },
      };
    });
    expect(await interrupted(["get", "rigs", "-w"], daemon.directory, ["SIGINT"])).toEqual({
      code: 130,
      out: "NAME\napi\n",
      err: "",
    });
    town.routes.clear();
  });

  it("given up in the foreground, when signalled, then the daemon gets the signal and its exit code is the command's", async () => {
    writeFileSync(
      join(root, "dist", "main.js"),
      'for (const s of ["SIGTERM", "SIGINT"]) process.on(s, () => { console.log("got " + s); process.exit(7); });\nsetInterval(() => {}, 1000);\nconsole.log(process.argv.slice(2).join(" "));\n',
    );
    const directory = join(root, "foreground");
    mkdirSync(join(directory, "manifests"), { recursive: true });
    execFileSync("git", ["init", "-q", directory], { env: { PATH: process.env["PATH"], HOME: root } });
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      expect(await interrupted(["up"], directory, [signal])).toEqual({
        code: 7,
        out: `--town ${directory}\ngot ${signal}\n`,
        err: "",
      });
    }
  });

  it("given a reader that leaves, when printing much, then it ends quietly", async () => {
    for (let index = 0; index < 3000; index += 1)
      town.objects.push({
        apiVersion: "work.town.dev/v1alpha1",
        kind: "Bead",
        metadata: { name: `b-${index}`, namespace: "web", uid: `x${index}` },
        spec: { title: "t".repeat(60) },
      });
    const script = '"$0" "$1" get beads -n web | head -n 1';
    const env = { PATH: process.env["PATH"], HOME: root };
    const out = await new Promise((resolve) => {
      execFile(
        "/bin/sh",
        ["-c", script, process.execPath, join(bin, "town.cjs")],
        { cwd: daemon.directory, env },
        (_, text, err) => resolve(text + err),
      );
    });
    expect(out).toMatch(/^NAME.*\n$/);
    const { out: all } = await run(["get", "beads", "-n", "web"]);
    expect(all.split("\n")).toHaveLength(3002);
  });
});
