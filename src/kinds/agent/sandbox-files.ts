import { TownError } from "../../errors/town-error.ts";
import type { Repository } from "../../ports/git.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { rigSource } from "../../work/rig-target.ts";
import type { RigSpec } from "../rig/rig.schema.ts";

const BEGIN = "# Files that Town puts into sandboxes: never committed.";

/**
 * Copies the rig's extra files (such as `.env`) into a sandbox where they are missing. They are excluded in the clone
 * first, so that no `git add` there, nor a rescue, can take them up. A file that the commit has is left as committed.
 * Throws TownError `SandboxFileMissing` naming the file and where it was looked for.
 */
export async function copySandboxFiles(
  namespace: string,
  path: string,
  repository: Repository,
  ports: LoopPorts,
): Promise<void> {
  const rig = ports.objects.get({ kind: "Rig", name: namespace }) as TownObject<RigSpec> | undefined;
  const files = rig?.spec.setup?.files ?? [];
  if (rig === undefined || files.length === 0) return;
  await exclude(
    repository,
    files.map((file) => file.path),
    ports,
  );
  for (const file of files) {
    const target = `${path}/${file.path}`;
    if ((await ports.files.stat(target)) !== undefined) continue;
    const source = sourceOf(file, rig.spec, ports);
    if (source === undefined || (await ports.files.stat(source))?.kind !== "File")
      throw new TownError(
        "SandboxFileMissing",
        `cannot put ${file.path} into ${path}: there is no file ${source ?? "to copy"}`,
        {
          hint: `make it, or correct spec.setup.files of Rig ${namespace}`,
        },
      );
    await ports.files.makeDirectory(target.slice(0, target.lastIndexOf("/")));
    await ports.files.copy(source, target);
  }
}

/** `from` is meant from the town; without it the file of the same name in the checkout of a path rig. */
function sourceOf(
  file: { readonly path: string; readonly from?: string | undefined },
  spec: RigSpec,
  ports: LoopPorts,
): string | undefined {
  const { root } = ports.layout;
  if (file.from !== undefined) return file.from.startsWith("/") ? file.from : `${root}/${file.from}`;
  return spec.path === undefined ? undefined : `${rigSource(spec, root)}/${file.path}`;
}

/** Adds what is missing to the clone's own exclude file, which holds for all of its worktrees. */
async function exclude(repository: Repository, paths: readonly string[], ports: LoopPorts): Promise<void> {
  const file = `${repository.commonDirectory}/info/exclude`;
  const text = (await ports.files.readText(file)) ?? "";
  const lines = new Set(text.split("\n"));
  const missing = paths.map(excludePattern).filter((pattern) => !lines.has(pattern));
  if (missing.length === 0) return;
  const head = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  await ports.files.makeDirectory(`${repository.commonDirectory}/info`);
  await ports.files.writeAtomic(file, `${head}${lines.has(BEGIN) ? "" : `${BEGIN}\n`}${missing.join("\n")}\n`);
}

/** The path from the root of the worktree, with what is special in patterns escaped. */
function excludePattern(path: string): string {
  return `/${path.replace(/[\\*?[\]!# ]/g, (character) => `\\${character}`)}`;
}
