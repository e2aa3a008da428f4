import { TerminalError, TownError } from "../errors/town-error.ts";
import type { TownSpec } from "../kinds/town/town.schema.ts";
import { CommitWriter, type WriteTarget } from "../manifests/commit-writer.ts";
import { LOCAL_FILE, type LocalValue, readLocalValues } from "../manifests/local-values.ts";
import { trackingRef } from "../manifests/remote-truth.ts";
import type { Repository } from "../ports/git.ts";
import type { TownObject } from "../resource/object-meta.ts";
import { FurtherSources } from "./further-sources.ts";
import { settingsOf } from "./source-controller.ts";
import { remoteBranch, SourceSync, type SourceSyncOptions } from "./source-sync.ts";
import type { TrustRules } from "./trust.ts";

export interface DesiredStateParts extends SourceSyncOptions, TrustRules {
  /** The town's own. */
  readonly repository: Repository;
}

/** Where the desired state is read from: a ref, and the folder of the manifests. */
export interface ReadTarget {
  /** Full ref whose commit is the truth. */
  readonly branch: string;
  readonly directory: string;
}

/** Desired state, both ways: git → objects, and writes of the API → commits. */
export interface DesiredState {
  readonly sync: SourceSync;
  readonly further: FurtherSources;
  readonly commits: CommitWriter;
  readonly reading: () => Promise<ReadTarget>;
  readonly locals: () => Promise<ReadonlyMap<string, LocalValue>>;
  /** The first sync: at least what comes with the program is there afterwards. Throws what the sync threw. */
  begin(): Promise<void>;
}

const HQ = { kind: "Town", name: "hq" } as const;

export function openDesiredState(parts: DesiredStateParts): DesiredState {
  const { root, files, store } = parts;
  const sync = new SourceSync(parts);
  const further = new FurtherSources(sync, parts);
  const town = (): TownObject => {
    const object = store.get(HQ);
    if (object === undefined) throw new TerminalError("TownMissing", "the object Town/hq is missing");
    return object;
  };
  const writing = async (): Promise<WriteTarget> => {
    const settings = settingsOf(town());
    return {
      branch: `refs/heads/${await sync.trackedBranch(settings)}`,
      directory: settings.path,
      writes: (town().spec as unknown as TownSpec).sync.writes,
      ...(settings.remote === undefined ? {} : { remote: settings.remote.url }),
    };
  };
  const reading = async (): Promise<ReadTarget> => {
    const settings = settingsOf(town());
    const name = await sync.trackedBranch(settings);
    const { remote, path: directory } = settings;
    return {
      branch: remote === undefined ? `refs/heads/${name}` : trackingRef(remoteBranch(remote.url, name)),
      directory,
    };
  };
  const locals = async (): Promise<ReadonlyMap<string, LocalValue>> =>
    readLocalValues(await files.readText(`${root}/${LOCAL_FILE}`)).values;
  const commits = new CommitWriter({
    ...parts,
    target: writing,
    locals,
    originOf: (key) => store.originOf(key),
    committed: async () => {
      const { standing, attempted, revision } = await sync.sync(settingsOf(town()));
      if (standing !== undefined && attempted !== revision)
        throw new TownError(standing.reason, standing.message, { hint: standing.hint });
    },
  });
  return {
    sync,
    further,
    commits,
    reading,
    locals,
    async begin() {
      await sync.builtins.declare();
      const settings = settingsOf(town());
      await sync.sync(settings);
      const now = settingsOf(town());
      // The manifests may say that a remote is the truth.
      if (now.remote === undefined) return;
      await sync.fetch(now);
      await sync.sync(now);
    },
  };
}
