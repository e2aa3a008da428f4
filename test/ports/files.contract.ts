import { describe, expect, test } from "vitest";
import type { Files } from "../../src/ports/files.ts";

export interface FilesUnderTest {
  readonly files: Files;
  /** An existing, empty directory; absolute. */
  readonly root: string;
  /** Waits until `seen` holds; gives up when the port's time for a change notice is long over. */
  readonly until: (seen: () => boolean) => Promise<void>;
  /** Waits for the port's time for a change notice, at most until `seen` holds. */
  readonly settle: (seen: () => boolean) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What every Files promises. */
export function filesContract(name: string, make: () => Promise<FilesUnderTest>): void {
  const given = (title: string, body: (under: FilesUnderTest) => Promise<void>): void => {
    test(title, async () => {
      const under = await make();
      try {
        await body(under);
      } finally {
        await under.close();
      }
    });
  };

  describe(`Files contract: ${name}`, () => {
    given(
      "given nothing there, when read, listed, inspected or removed, then it is missing and no error",
      async ({ files, root }) => {
        const path = `${root}/none`;
        expect(await files.readText(path)).toBeUndefined();
        expect(await files.readFrom(path, 0)).toBeUndefined();
        expect(await files.stat(path)).toBeUndefined();
        expect(await files.realPath(path)).toBeUndefined();
        expect(await files.list(path)).toEqual([]);
        expect(await files.readText(`${path}/deeper`)).toBeUndefined();
        await files.remove(path);
        await files.removeTree(path);
      },
    );

    given(
      "given a path below a plain file, when read or removed, then it is missing; when written, then it fails",
      async ({ files, root }) => {
        await files.writeAtomic(`${root}/plain`, "x");
        expect(await files.readText(`${root}/plain/below`)).toBeUndefined();
        expect(await files.stat(`${root}/plain/below`)).toBeUndefined();
        await files.remove(`${root}/plain/below`);
        await expect(files.writeAtomic(`${root}/plain/below`, "")).rejects.toMatchObject({ code: "ENOTDIR" });
        await expect(files.list(`${root}/plain`)).rejects.toMatchObject({ code: "ENOTDIR" });
      },
    );

    given(
      "given a text, when written, then it reads back, replaces the former, and leaves nothing else behind",
      async ({ files, root }) => {
        await files.writeAtomic(`${root}/a`, "first");
        await files.writeAtomic(`${root}/a`, "zweite ✓");
        expect(await files.readText(`${root}/a`)).toBe("zweite ✓");
        expect(await files.list(root)).toEqual(["a"]);
        expect(await files.stat(`${root}/a`)).toMatchObject({ kind: "File", size: 10 });
      },
    );

    given("given a mode, when written, then the file has exactly it", async ({ files, root }) => {
      await files.writeAtomic(`${root}/secret`, "x", { mode: 0o600 });
      await files.createExclusive(`${root}/lock`, "x", { mode: 0o600 });
      await (await files.openAppend(`${root}/log`, { mode: 0o640 })).close();
      await files.makeDirectory(`${root}/private`, { mode: 0o700 });
      const modes = await Promise.all(
        ["secret", "lock", "log", "private"].map((entry) => files.stat(`${root}/${entry}`)),
      );
      expect(modes.map((stat) => (stat?.mode ?? 0) & 0o777)).toEqual([0o600, 0o600, 0o640, 0o700]);
    });

    given(
      "given a missing directory or a directory in the way, when written, then it fails with the code and the path",
      async ({ files, root }) => {
        await expect(files.writeAtomic(`${root}/no/a`, "")).rejects.toMatchObject({
          code: "ENOENT",
          message: expect.stringContaining(`${root}/no/a`),
        });
        await expect(files.openAppend(`${root}/no/a`)).rejects.toMatchObject({ code: "ENOENT" });
        await expect(files.createExclusive(`${root}/no/a`, "")).rejects.toMatchObject({ code: "ENOENT" });
        await files.makeDirectory(`${root}/d`);
        await expect(files.writeAtomic(`${root}/d`, "")).rejects.toMatchObject({ code: "EISDIR" });
        await expect(files.readText(`${root}/d`)).rejects.toMatchObject({ code: "EISDIR" });
      },
    );

    given(
      "given many writers of one path, when they write at once, then the result is one of the texts, whole",
      async ({ files, root }) => {
        const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(5000));
        await Promise.all(texts.map((text) => files.writeAtomic(`${root}/a`, text)));
        expect(texts).toContain(await files.readText(`${root}/a`));
        expect(await files.list(root)).toEqual(["a"]);
      },
    );

    given(
      "given an append file, when appended to concurrently, then order is kept and size counts bytes",
      async ({ files, root }) => {
        const log = await files.openAppend(`${root}/log`);
        expect(log.size).toBe(0);
        await Promise.all(Array.from({ length: 50 }, (_, i) => log.append(`${i}ü\n`, { durable: i % 3 === 0 })));
        expect(await files.readText(`${root}/log`)).toBe(Array.from({ length: 50 }, (_, i) => `${i}ü\n`).join(""));
        expect(log.size).toBe((await files.stat(`${root}/log`))?.size);
        await log.close();
        await expect(log.append("late")).rejects.toMatchObject({ code: "EBADF" });
        await log.close();
      },
    );

    given(
      "given an existing log, when opened again, then appends continue and size starts at its end",
      async ({ files, root }) => {
        await files.writeAtomic(`${root}/log`, "one\n");
        const log = await files.openAppend(`${root}/log`);
        expect(log.size).toBe(4);
        await log.append("two\n");
        await log.append("");
        expect(log.size).toBe(8);
        await log.close();
        expect(await files.readText(`${root}/log`)).toBe("one\ntwo\n");
      },
    );

    given(
      "given a torn tail, when truncated, then it is gone and a later append follows the cut",
      async ({ files, root }) => {
        await files.writeAtomic(`${root}/log`, "good\nto");
        await files.truncate(`${root}/log`, 5);
        const log = await files.openAppend(`${root}/log`);
        await log.append("next\n");
        await log.close();
        expect(await files.readText(`${root}/log`)).toBe("good\nnext\n");
        await expect(files.truncate(`${root}/none`, 0)).rejects.toMatchObject({ code: "ENOENT" });
      },
    );

    given(
      "given a file, when read from an offset, then the bytes from there come, at most as many as asked",
      async ({ files, root }) => {
        await files.writeAtomic(`${root}/a`, "0123456789");
        const text = async (start: number, max?: number): Promise<string> =>
          new TextDecoder().decode(await files.readFrom(`${root}/a`, start, max));
        expect(await text(4)).toBe("456789");
        expect(await text(4, 2)).toBe("45");
        expect(await text(10)).toBe("");
        expect(await text(99)).toBe("");
      },
    );

    given(
      "given a file opened for reading, when it is replaced and removed, then its parts are still what they were",
      async ({ files, root }) => {
        await files.writeAtomic(`${root}/a`, "0123456789");
        const file = await files.openRead(`${root}/a`);
        await files.writeAtomic(`${root}/a`, "abc");
        await files.remove(`${root}/a`);
        const text = (start: number, end: number): string | undefined =>
          file === undefined ? undefined : new TextDecoder().decode(file.bytes(start, end));
        expect(file?.size).toBe(10);
        expect(text(2, 5)).toBe("234");
        expect(text(8, 99)).toBe("89");
        expect(text(99, 100)).toBe("");
        await file?.close();
        await file?.close();
        expect(() => file?.bytes(0, 1)).toThrow(expect.objectContaining({ code: "EBADF" }));
        expect(await files.openRead(`${root}/none`)).toBeUndefined();
      },
    );

    given(
      "given racers for one lock file, when they create it, then one wins and its content is whole",
      async ({ files, root }) => {
        const wins = await Promise.all(
          Array.from({ length: 20 }, (_, i) => files.createExclusive(`${root}/lock`, `holder ${i}`)),
        );
        expect(wins.filter(Boolean)).toHaveLength(1);
        expect(await files.readText(`${root}/lock`)).toBe(`holder ${wins.indexOf(true)}`);
        expect(await files.list(root)).toEqual(["lock"]);
      },
    );

    given(
      "given files and directories, when renamed, then they move and replace a file, never a full directory",
      async ({ files, root }) => {
        await files.writeAtomic(`${root}/a`, "a");
        await files.writeAtomic(`${root}/b`, "b");
        await files.rename(`${root}/a`, `${root}/b`);
        expect([await files.readText(`${root}/a`), await files.readText(`${root}/b`)]).toEqual([undefined, "a"]);
        await files.makeDirectory(`${root}/d/e`);
        await files.makeDirectory(`${root}/full/x`);
        await files.rename(`${root}/d`, `${root}/f`);
        expect(await files.list(`${root}/f`)).toEqual(["e"]);
        await expect(files.rename(`${root}/f`, `${root}/full`)).rejects.toMatchObject({ reason: "PathExists" });
        await expect(files.rename(`${root}/none`, `${root}/x`)).rejects.toMatchObject({ code: "ENOENT" });
      },
    );

    given(
      "given a tree, when parts are removed, then only those are gone; remove refuses a directory",
      async ({ files, root }) => {
        await files.makeDirectory(`${root}/d/e`);
        await files.makeDirectory(`${root}/d/e`);
        await files.writeAtomic(`${root}/d/e/f`, "x");
        await files.writeAtomic(`${root}/d/g`, "x");
        await expect(files.remove(`${root}/d/e`)).rejects.toBeInstanceOf(Error);
        await files.remove(`${root}/d/g`);
        expect(await files.list(`${root}/d`)).toEqual(["e"]);
        await files.removeTree(`${root}/d`);
        expect(await files.stat(`${root}/d`)).toBeUndefined();
      },
    );

    given("given names, when listed, then they come sorted by code unit", async ({ files, root }) => {
      for (const entry of ["b", "B", "a10", "a9", "ä"]) await files.writeAtomic(`${root}/${entry}`, "");
      expect(await files.list(root)).toEqual(["B", "a10", "a9", "b", "ä"]);
    });

    given(
      "given symbolic links, when used, then reads follow them, stat and remove do not, writeAtomic replaces them",
      async ({ files, root }) => {
        await files.makeDirectory(`${root}/real`);
        await files.writeAtomic(`${root}/real/f`, "text");
        await files.symlink("real", `${root}/link`);
        await files.symlink(`${root}/real/f`, `${root}/file-link`);
        expect(await files.readText(`${root}/link/f`)).toBe("text");
        expect(await files.readText(`${root}/link/../file-link`)).toBe("text");
        expect(await files.realPath(`${root}/link/f`)).toBe(await files.realPath(`${root}/real/f`));
        expect((await files.stat(`${root}/link`))?.kind).toBe("Link");
        await files.writeAtomic(`${root}/file-link`, "own");
        expect([await files.readText(`${root}/file-link`), await files.readText(`${root}/real/f`)]).toEqual([
          "own",
          "text",
        ]);
        await files.remove(`${root}/link`);
        expect(await files.readText(`${root}/real/f`)).toBe("text");
        await expect(files.symlink("x", `${root}/real`)).rejects.toMatchObject({ code: "EEXIST" });
        await files.symlink("loop", `${root}/loop`);
        await expect(files.readText(`${root}/loop`)).rejects.toMatchObject({ code: "ELOOP" });
        expect(await files.realPath(`${root}/dangling`)).toBeUndefined();
      },
    );

    given("given a file, when copied, then both are independent", async ({ files, root }) => {
      await files.writeAtomic(`${root}/a`, "one");
      await files.copy(`${root}/a`, `${root}/b`);
      await files.writeAtomic(`${root}/a`, "two");
      expect(await files.readText(`${root}/b`)).toBe("one");
      await expect(files.copy(`${root}/none`, `${root}/c`)).rejects.toMatchObject({ code: "ENOENT" });
    });

    given(
      "given a disk, when asked for free space, then it is a positive number of bytes, also below a missing path",
      async ({ files, root }) => {
        expect(await files.freeBytes(root)).toBeGreaterThan(0);
        expect(await files.freeBytes(`${root}/not/yet`)).toBeGreaterThan(0);
      },
    );

    given(
      "given a watched directory, when a file below is written, replaced, appended to or removed, then each is noticed",
      async (under) => {
        const { files, root } = under;
        await files.makeDirectory(`${root}/w/deep`);
        let notices = 0;
        const watch = files.watch([`${root}/w`], () => {
          notices += 1;
        });
        const noticed = async (act: () => Promise<unknown>): Promise<void> => {
          await quiet(under, () => notices);
          const before = notices;
          await act();
          await under.until(() => notices > before);
          expect(notices).toBeGreaterThan(before);
        };
        await noticed(() => files.writeAtomic(`${root}/w/deep/a`, "1"));
        await noticed(() => files.writeAtomic(`${root}/w/deep/a`, "2"));
        const log = await files.openAppend(`${root}/w/deep/a`);
        await noticed(() => log.append("more"));
        await log.close();
        await noticed(() => files.makeDirectory(`${root}/w/new/dir`));
        await noticed(() => files.writeAtomic(`${root}/w/new/dir/b`, "1"));
        await noticed(() => files.rename(`${root}/w/new/dir/b`, `${root}/w/new/dir/c`));
        await noticed(() => files.remove(`${root}/w/deep/a`));
        await quiet(under, () => notices);
        await watch.close();
        const closed = notices;
        await files.writeAtomic(`${root}/w/after`, "1");
        await under.settle(() => notices > closed);
        expect(notices).toBe(closed);
      },
    );

    given(
      "given a watched path that does not exist, nor its parents, when it appears and changes, then it is noticed",
      async (under) => {
        const { files, root } = under;
        let notices = 0;
        const watch = files.watch([`${root}/later/refs/heads`, `${root}/later/packed-refs`], () => {
          notices += 1;
        });
        await quiet(under, () => notices);
        await files.makeDirectory(`${root}/later/refs/heads/town`);
        await under.until(() => notices > 0);
        expect(notices).toBeGreaterThan(0);
        for (const path of ["later/refs/heads/main", "later/refs/heads/town/work", "later/packed-refs"]) {
          await quiet(under, () => notices);
          const before = notices;
          await files.writeAtomic(`${root}/${path}`, "0".repeat(40));
          await under.until(() => notices > before);
          expect(notices, path).toBeGreaterThan(before);
        }
        await files.removeTree(`${root}/later`);
        await quiet(under, () => notices);
        const before = notices;
        await files.makeDirectory(`${root}/later/refs/heads`);
        await quiet(under, () => notices);
        await files.writeAtomic(`${root}/later/refs/heads/main`, "1".repeat(40));
        await under.until(() => notices > before);
        expect(notices).toBeGreaterThan(before);
        await watch.close();
      },
    );
  });
}

/** Waits until no notice came during one whole waiting time. */
async function quiet(under: FilesUnderTest, notices: () => number): Promise<void> {
  for (;;) {
    const before = notices();
    await under.settle(() => notices() > before);
    if (notices() === before) return;
  }
}
