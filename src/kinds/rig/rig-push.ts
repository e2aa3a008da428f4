import type { Repository } from "../../ports/git.ts";
import type { RigSpec } from "./rig.schema.ts";

/** Condition: whether the remote has the target branch as it is here. Only while it may be pushed. */
export const PUSHED = "Pushed";

/** What may leave this machine, and how far it has. */
export interface PushFacts {
  /** The target branch against the remote as it was seen last. */
  readonly target: "Off" | "UpToDate" | "Ahead" | "Diverged" | "NoRemote";
  /** Name of the remote, for messages. */
  readonly remote: string;
  /** Name or URL that the work graph is exchanged with, seen from the clone; undefined: off, or there is no remote. */
  readonly workRemote: string | undefined;
}

interface PushPlace {
  readonly clone: Repository;
  readonly branch: string;
  /** The repository of a path rig: its remote is the one that counts, pushed to with its own settings. */
  readonly checkout: Repository | undefined;
}

/** Undefined when nothing may be pushed. Looks only at what is on this machine. */
export async function observePush(spec: RigSpec, at: PushPlace): Promise<PushFacts | undefined> {
  if (!spec.push.target && !spec.push.work) return undefined;
  const place = await pushPlace(spec, at);
  if (place === undefined)
    return { target: spec.push.target ? "NoRemote" : "Off", remote: "origin", workRemote: undefined };
  const { repository, remote } = place;
  return {
    target: spec.push.target ? await compared(repository, remote, at.branch) : "Off",
    remote,
    workRemote: spec.push.work ? (spec.url === undefined ? place.url : remote) : undefined,
  };
}

async function compared(
  repository: Repository,
  remote: string,
  branch: string,
): Promise<"UpToDate" | "Ahead" | "Diverged"> {
  const own = await repository.resolve(`refs/heads/${branch}`);
  const theirs = await repository.resolve(`refs/remotes/${remote}/${branch}`);
  if (own === undefined || own === theirs) return "UpToDate";
  if (theirs === undefined || (await repository.isAncestor(theirs, own))) return "Ahead";
  return (await repository.isAncestor(own, theirs)) ? "UpToDate" : "Diverged";
}

async function pushPlace(
  spec: RigSpec,
  { clone, branch, checkout }: PushPlace,
): Promise<{ readonly repository: Repository; readonly remote: string; readonly url: string } | undefined> {
  if (spec.url !== undefined) return { repository: clone, remote: "origin", url: spec.url };
  if (checkout === undefined) return undefined;
  const remote = (await checkout.config(`branch.${branch}.remote`)) ?? "origin";
  const url = (await checkout.config(`remote.${remote}.pushurl`)) ?? (await checkout.config(`remote.${remote}.url`));
  if (url === undefined || remote === ".") return undefined;
  // A relative path is meant from the checkout.
  return { repository: checkout, remote, url: /^\.\.?\//.test(url) ? `${checkout.path}/${url}` : url };
}

/** Pushes the target branch as it stands; nothing is overwritten. False: the remote has moved, which is fetched then. */
export async function pushTarget(spec: RigSpec, at: PushPlace): Promise<boolean> {
  const place = await pushPlace(spec, at);
  if (place === undefined) return false;
  const { repository, remote } = place;
  const ref = `refs/heads/${at.branch}`;
  const tracking = `refs/remotes/${remote}/${at.branch}`;
  const [from, expect] = [await repository.resolve(ref), await repository.resolve(tracking)];
  if (from === undefined || from === expect) return true;
  if (expect !== undefined && !(await repository.isAncestor(expect, from))) return false;
  if ((await repository.push(remote, [{ from, ref, expect: expect ?? null }])) === "Pushed") return true;
  await repository.fetch(remote, [`+${ref}:${tracking}`]);
  return false;
}
