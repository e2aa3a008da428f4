import type { Repository } from "../../ports/git.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { rigSource } from "../../work/rig-target.ts";
import type { RigSpec } from "../rig/rig.schema.ts";

/** A repository in which many objects lie loose, each a file. */
export interface LooseObjects {
  /** Of the rig that it is of; `hq`: the town's own. */
  readonly namespace: string;
  readonly path: string;
  readonly count: number;
}

/**
 * Each bead leaves some ten in a rig's clone, by the agents' git. That packs them by itself at 6,700, as a child of whichever
 * session commits then, and with it it ends half-way: the next one would begin anew.
 */
const MANY_IN_CLONE = 2_000;
/** Default of `gc.auto`, git-config(1). */
const GC_AUTO = 6_700;

/**
 * Repositories to be packed now. A user's gets seven objects with each bead that lands there; the user's own git packs them
 * with the next commit, but nobody commits over night. So that is done here, as far as the repository's settings want it.
 */
export async function looseObjects(ports: LoopPorts): Promise<readonly LooseObjects[]> {
  const { layout } = ports;
  const found = [await looseIn("hq", layout.root, ports, limitOfUser)];
  for (const { metadata, spec } of ports.objects.list("Rig") as readonly TownObject<RigSpec>[]) {
    found.push(await looseIn(metadata.name, layout.clone(metadata.name), ports, () => MANY_IN_CLONE));
    if (spec.path !== undefined)
      found.push(await looseIn(metadata.name, rigSource(spec, layout.root), ports, limitOfUser));
  }
  return found.filter((each) => each !== undefined);
}

async function looseIn(
  namespace: string,
  path: string,
  ports: LoopPorts,
  limitOf: (repository: Repository) => number | Promise<number>,
): Promise<LooseObjects | undefined> {
  const repository = await ports.git.open(path);
  const count = (await repository?.objects.looseCount()) ?? 0;
  if (repository === undefined || count === 0 || count < (await limitOf(repository))) return undefined;
  return { namespace, path, count };
}

/** Where git would pack by itself; infinite where it would not, or where packs are joined only with a remote's help. */
async function limitOfUser(repository: Repository): Promise<number> {
  const settings = await repository.configs(["gc.auto", "maintenance.auto", "extensions.partialclone"]);
  const isOff = /^(false|no|off|0|)$/i.test(settings.get("maintenance.auto") ?? "true");
  const limit = Number(settings.get("gc.auto") ?? GC_AUTO);
  return isOff || settings.has("extensions.partialclone") || !(limit > 0) ? Number.POSITIVE_INFINITY : limit;
}
