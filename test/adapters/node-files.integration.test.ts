import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createNodeFiles, type NodeFilesOptions } from "../../src/adapters/node-files.ts";
import { filesContract } from "../ports/files.contract.ts";

async function temporaryRoot(): Promise<string> {
  return realpath(await mkdtemp(join(tmpdir(), "town-files-")));
}

/** Up to `limitMs`, at least until `seen`. */
function untilWithin(limitMs: number): (seen: () => boolean) => Promise<void> {
  return async (seen) => {
    const end = performance.now() + limitMs;
    while (!seen() && performance.now() < end) await new Promise((done) => setTimeout(done, 5));
  };
}

/** For what comes at once on an idle machine. */
const until = untilWithin(30_000);

function contractOn(name: string, options: NodeFilesOptions): void {
  filesContract(name, async () => {
    const root = await temporaryRoot();
    return {
      files: createNodeFiles(options),
      root,
      until,
      settle: untilWithin(500),
      close: () => rm(root, { recursive: true, force: true }),
    };
  });
}

contractOn("node", {});
contractOn("node without hard links, polling", { hardLinks: false, pollMs: 20 });
contractOn("node, reading at once", { readsAtOnce: true });

describe("createNodeFiles", () => {
  test("given a full disk, when appended to, then it says so, nothing of it stays, and the handle works again later", async () => {
    const files = createNodeFiles();
    const full = await files.openAppend("/dev/full").catch(() => undefined);
    if (full === undefined) return;
    await expect(full.append("x")).rejects.toMatchObject({ code: "ENOSPC", reason: "DiskFull" });
    expect(full.size).toBe(0);
    await full.close();
  });

  test("given a process killed while it writes atomically over and over, when the file is read, then it is one whole text, and leftovers stay hidden", async () => {
    const root = await temporaryRoot();
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    const script = `
      import { createNodeFiles } from ${JSON.stringify(new URL("../../src/adapters/node-files.ts", import.meta.url).href)};
      const files = createNodeFiles();
      for (let i = 0; ; i = (i + 1) % 10) { await files.writeAtomic(${JSON.stringify(`${root}/a`)}, String(i).repeat(200_000)); if (i === 0) console.log("round"); }
    `;
    for (let round = 0; round < 6; round += 1) {
      const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      await new Promise((done) => setTimeout(done, 7 * round));
      child.kill("SIGKILL");
      await once(child, "exit");
      const text = await readFile(`${root}/a`, "utf8");
      expect(text).toBe((text[0] ?? "?").repeat(200_000));
    }
    expect(await createNodeFiles().list(root)).toEqual(["a"]);
  });

  test("given an old leftover of a killed process, when the directory is written to first, then it is swept; a young one is not", async () => {
    const root = await temporaryRoot();
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    await writeFile(`${root}/.town-tmp-1-old`, "x");
    await utimes(`${root}/.town-tmp-1-old`, new Date(), new Date(Date.now() - 7_200_000));
    await writeFile(`${root}/.town-tmp-2-young`, "x");
    await createNodeFiles().writeAtomic(`${root}/a`, "1");
    expect((await readdir(root)).sort()).toEqual([".town-tmp-2-young", "a"]);
  });

  test("given another process that appends to the same file, when both append, then no byte of either is lost", async () => {
    const root = await temporaryRoot();
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    const log = await createNodeFiles().openAppend(`${root}/log`);
    for (let i = 0; i < 50; i += 1) await Promise.all([log.append(`a${i}\n`), appendFile(`${root}/log`, `b${i}\n`)]);
    await log.close();
    const lines = (await readFile(`${root}/log`, "utf8")).trim().split("\n");
    expect(lines).toHaveLength(100);
    expect(lines.filter((line) => line.startsWith("a"))).toEqual(Array.from({ length: 50 }, (_, i) => `a${i}`));
  });

  test("given directories without write permission, when the tree is removed, then it is gone", async () => {
    const root = await temporaryRoot();
    await mkdir(`${root}/mod/cache`, { recursive: true });
    await writeFile(`${root}/mod/cache/f`, "x");
    await chmod(`${root}/mod/cache`, 0o555);
    await chmod(`${root}/mod`, 0o555);
    await createNodeFiles().removeTree(root);
    await expect(stat(root)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("given a burst of 300 writes, when watched, then notices are paced, and the last write is covered by one", async () => {
    const root = await temporaryRoot();
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    const files = createNodeFiles();
    const times: number[] = [];
    let seen = "";
    const watch = files.watch([root], () => {
      times.push(performance.now());
      void readFile(`${root}/f`, "utf8").then(
        (text) => {
          seen = text;
        },
        () => undefined,
      );
    });
    onTestFinished(() => watch.close());
    await until(() => times.length > 0);
    for (let i = 0; i < 300; i += 1) await writeFile(`${root}/f`, String(i));
    await until(() => seen === "299");
    expect(seen).toBe("299");
    for (let i = 1; i < times.length; i += 1) expect(times[i]! - times[i - 1]!).toBeGreaterThanOrEqual(8);
  });

  test("given a tree that is removed, remade and deepened over and over, when watched, then the last write is always noticed", async () => {
    const root = await temporaryRoot();
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    let [target, latest] = ["", ""];
    const watch = createNodeFiles().watch([`${root}/w/refs`, `${root}/w/packed-refs`], () => {
      void readFile(target, "utf8").then(
        (text) => {
          latest = text;
        },
        () => undefined,
      );
    });
    onTestFinished(() => watch.close());
    for (let round = 1; round <= 60; round += 1) {
      if (round % 4 === 0) await rm(`${root}/w`, { recursive: true, force: true });
      target = round % 4 === 3 ? `${root}/w/packed-refs` : `${root}/w/refs/d${round}/e/f`;
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, String(round));
      await until(() => latest === String(round));
      expect(latest).toBe(String(round));
    }
  });

  test("given a watch on a quiet tree, when nothing changes, then no notice comes and next to no CPU is used", async () => {
    const root = await temporaryRoot();
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    for (let i = 0; i < 100; i += 1) await writeFile(`${root}/${i}.yaml`, "x");
    let notices = 0;
    const watch = createNodeFiles().watch([root, `${root}/missing/path`], () => {
      notices += 1;
    });
    onTestFinished(() => watch.close());
    await untilWithin(1000)(() => false);
    const [before, cpu] = [notices, process.cpuUsage()];
    await untilWithin(500)(() => false);
    const { user, system } = process.cpuUsage(cpu);
    expect(notices).toBe(before);
    expect(user + system).toBeLessThan(250_000);
  });
});
