import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Git, Repository } from "../ports/git.ts";
import type { Log } from "../ports/log.ts";
import type { Events } from "../ports/objects.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { messageOf, TerminalError } from "../errors/town-error.ts";
import { TOWN_SOURCE } from "../resource/desired-origin.ts";
import type { KindDefinition } from "../resource/kind-definition.ts";
import { keyText, type ObjectKey } from "../resource/object-meta.ts";
import { forgetRecords } from "../manifests/api-commits.ts";
import { type CommitRange, commitsBetween } from "../manifests/commit-range.ts";
import { deletionsIn } from "../manifests/deletion-trailer.ts";
import { type Inventory, readInventory } from "../manifests/inventory.ts";
import type { LoadedSource } from "../manifests/load-source.ts";
import { LOCAL_FILE, readLocalValues } from "../manifests/local-values.ts";
import { ParseCache } from "../manifests/parse-cache.ts";
import { byPlace } from "../manifests/problem.ts";
import { readSourceAtCommit, readSourceOnDisk } from "../manifests/read-source.ts";
import { checkReferences, type ReferenceRule } from "../manifests/references.ts";
import { fetchRemote, type RemoteBranch, trackingRef } from "../manifests/remote-truth.ts";
import { planSync } from "../manifests/sync-plan.ts";
import { applyPlan } from "./apply-plan.ts";
import { Builtins } from "./builtins.ts";
import { declaredElsewhere, takenBy } from "./other-sources.ts";
import type { Standing, SyncResult, SyncSettings } from "./sync-result.ts";
import { localRevision, remoteRevision, type TrackedRevision } from "./tracked-revision.ts";
import { checkAuthors } from "./unauthorized-commit.ts";

export interface SourceSyncOptions {
  readonly root: string;
  readonly git: Git;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: ObjectStore & Events;
  readonly kinds: readonly KindDefinition[];
  readonly references: readonly ReferenceRule[];
  /** Directory whose manifests come with the program; they are applied unless a source declares the same object. */
  readonly builtinDirectory: string;
}

/** The last fetch in this life. */
export interface Fetched {
  readonly url: string;
  readonly timeMs: number;
  /** The request to look again that it answered. */
  readonly poke: string | undefined;
  /** Why it failed. */
  readonly error: string | undefined;
}

/** A commit to apply, and what came with it. */
interface Chosen extends TrackedRevision {
  readonly range: CommitRange;
  /** Records of the API that are not needed once it is applied. */
  readonly recorded: readonly string[];
}

/** What is read from disk beside git. */
type Touched = "Manifests" | "Locals";

const TOWN: ObjectKey = { kind: "Town", name: "hq" };
const NO_RANGE: CommitRange = { commits: [], isForward: true };

/** Makes the API's desired objects what the tracked commit says. One sync at a time; callers that wait share the next one. */
export class SourceSync {
  readonly builtins: Builtins;
  readonly #options: SourceSyncOptions;
  readonly #cache = new ParseCache();
  #inventory: Inventory | undefined;
  #last: { readonly result: SyncResult; readonly settings: SyncSettings; readonly seen: string } | undefined;
  #fetched: Fetched | undefined;
  #recordedBranch: string | undefined;
  readonly #touched = new Set<Touched>();
  #running: Promise<SyncResult> | undefined;
  #next: Promise<SyncResult> | undefined;

  constructor(options: SourceSyncOptions) {
    this.#options = options;
    this.builtins = new Builtins({ ...options, directory: options.builtinDirectory });
  }

  /** Result of the newest sync in this life. */
  get last(): SyncResult | undefined {
    return this.#last?.result;
  }

  get fetched(): Fetched | undefined {
    return this.#fetched;
  }

  /** Says that files changed: what was read from disk is not new any more. */
  touch(what: Touched): void {
    this.#touched.add(what);
  }

  /** True when the newest sync did not see what is there now, or was told something else. Asks git for refs only. */
  async isStale(settings: SyncSettings): Promise<boolean> {
    const last = this.#last;
    if (last === undefined || toldOf(last.settings) !== toldOf(settings)) return true;
    if (this.#touched.has("Locals") || (this.#touched.has("Manifests") && settings.mode === "worktree")) return true;
    return settings.mode === "commit" && last.seen !== (await this.#seen(await this.repository(), settings));
  }

  /** A sync that begins after this call. */
  sync(settings: SyncSettings): Promise<SyncResult> {
    if (this.#running === undefined) {
      this.#running = this.#run(settings).finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    }
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.sync(settings);
      });
    return this.#next;
  }

  /** Asks the remote; what it answers is seen by the next sync. Without a remote nothing happens. Never throws. */
  async fetch(settings: SyncSettings): Promise<void> {
    const { remote, poke } = settings;
    if (remote === undefined) return;
    let error: string | undefined;
    try {
      const repository = await this.repository();
      await fetchRemote(repository, remoteBranch(remote.url, await this.trackedBranch(settings)));
    } catch (failure) {
      error = messageOf(failure);
    }
    this.#fetched = { url: remote.url, timeMs: this.#options.clock.now(), poke, error };
  }

  async repository(): Promise<Repository> {
    const repository = await this.#options.git.open(this.#options.root);
    if (repository !== undefined) return repository;
    throw new TerminalError("RepositoryNotFound", `no git repository at ${this.#options.root}`, {
      hint: "run `town init` there",
    });
  }

  /** Short name of the branch that is followed: as set, as recorded when the town was made, else as checked out now. */
  async trackedBranch(settings: Pick<SyncSettings, "branch">): Promise<string> {
    return settings.branch ?? (this.#recordedBranch ??= await recordedBranch(await this.repository()));
  }

  async #seen(repository: Repository, settings: SyncSettings): Promise<string> {
    const branch = await this.trackedBranch(settings);
    const refs = [`refs/heads/${branch}`];
    if (settings.remote !== undefined) refs.push(trackingRef(remoteBranch(settings.remote.url, branch)));
    const commits = await Promise.all(refs.map((ref) => repository.resolve(ref)));
    return `${branch} ${commits.join(" ")} ${this.#fetched?.error ?? ""}`;
  }

  async #run(settings: SyncSettings): Promise<SyncResult> {
    const { files, clock, root, kinds } = this.#options;
    const repository = await this.repository();
    this.#touched.clear();
    const seen = await this.#seen(repository, settings);
    const branch = await this.trackedBranch(settings);
    this.#inventory ??= await readInventory(repository, TOWN_SOURCE);
    await this.builtins.declare();
    const local = readLocalValues(await files.readText(`${root}/${LOCAL_FILE}`));
    const context = { kinds, locals: local.values, directory: settings.path, cache: this.#cache };
    const chosen = settings.mode === "worktree" ? undefined : await this.#choose(repository, branch, settings);
    const revision = chosen === undefined ? "worktree" : chosen.revision;
    const outcome = { branch, attempted: chosen === undefined ? "worktree" : chosen.attempted, timeMs: clock.now() };
    let result: SyncResult;
    if (revision === undefined)
      result = { ...outcome, revision, problems: [], standing: chosen?.standing, declared: 0, changes: 0 };
    else {
      const read =
        chosen === undefined
          ? await readSourceOnDisk(files, clock, root, context)
          : await readSourceAtCommit(repository, revision, context);
      const loaded: LoadedSource = { ...read, problems: [...read.problems, ...local.problems] };
      const applied = await this.#apply(repository, loaded, revision, settings, chosen?.range ?? NO_RANGE);
      result = { ...outcome, revision, ...applied, standing: chosen?.standing ?? applied.standing };
      await forgetRecords(repository, chosen?.recorded ?? []);
    }
    this.#last = { result, settings, seen };
    return result;
  }

  /** The commit to apply: what the branch says, up to the first commit that waits for a person. */
  async #choose(repository: Repository, branch: string, settings: SyncSettings): Promise<Chosen> {
    const former = this.#inventory?.revision;
    const tracked = await (settings.remote === undefined
      ? localRevision(repository, branch)
      : remoteRevision(repository, remoteBranch(settings.remote.url, branch), {
          applied: former,
          unreachable: this.#fetched?.error,
        }));
    if (tracked.revision === undefined) return { ...tracked, range: NO_RANGE, recorded: [] };
    const range = await commitsBetween(repository, former, tracked.revision);
    if (!range.isForward) this.#reportRewrite(branch, former, tracked.revision);
    // Nothing was applied yet: whoever brought this repository here vouches for what is in it.
    if (former === undefined) return { ...tracked, range, recorded: [] };
    const { approve, path: directory } = settings;
    const { held, recorded } = await checkAuthors(repository, {
      range,
      directory,
      approve,
      isShared: settings.remote !== undefined,
      isAgent: (author) => this.#isAgent(author),
    });
    if (held === undefined) return { ...tracked, range, recorded };
    const revision = held.before ?? (await repository.resolve(former));
    const standing = tracked.standing ?? held.standing;
    if (revision === undefined) return { ...tracked, revision, standing, range: NO_RANGE, recorded };
    return { ...tracked, revision, standing, range: await commitsBetween(repository, former, revision), recorded };
  }

  #isAgent(author: string): boolean {
    // The identities of singletons have fewer parts, so they are looked up.
    if (/^[a-z0-9][-a-z0-9]*\/[a-z0-9][-a-z0-9]*\/[a-z0-9][-a-z0-9.]*$/.test(author)) return true;
    return this.#options.store.list("Agent").some((agent) => agent.spec["identity"] === author);
  }

  #reportRewrite(branch: string, former: string | undefined, revision: string): void {
    this.#options.store.record(TOWN, {
      type: "Warning",
      reason: "HistoryRewritten",
      message: `${branch} was rewritten: ${former?.slice(0, 12) ?? ""}, which was applied, is not in the history of ${revision.slice(0, 12)}`,
    });
  }

  async #apply(
    repository: Repository,
    loaded: LoadedSource,
    revision: string,
    settings: SyncSettings,
    range: CommitRange,
  ): Promise<Pick<SyncResult, "problems" | "declared" | "changes"> & { readonly standing: Standing | undefined }> {
    const { store, kinds, clock, references } = this.#options;
    const former = this.#inventory ?? (await readInventory(repository, TOWN_SOURCE));
    const declared = new Set(loaded.objects.map(({ key }) => keyText(key)));
    const dangling = checkReferences(loaded.objects, {
      rules: references,
      known: [
        ...this.builtins.keys,
        ...loaded.problems.flatMap(({ key }) => key ?? []),
        ...declaredElsewhere(store, kinds, TOWN_SOURCE).filter((key) => !declared.has(keyText(key))),
      ],
      namespaceKind: "Rig",
    });
    const plan = planSync({
      revision,
      loaded,
      inventory: former.entries,
      deleting: deletionsIn(range.commits),
      takenBy: (key) => takenBy(store, key, TOWN_SOURCE),
      ...(settings.allowPrune === undefined ? {} : { allowPrune: settings.allowPrune }),
    });
    const { inventory, changes } = await applyPlan(
      { store, kinds, clock, repository, fallback: (key) => this.builtins.fallback(key) },
      { source: { name: TOWN_SOURCE, readOnly: false }, former, plan, revision, loaded },
    );
    this.#inventory = inventory;
    return {
      problems: [...loaded.problems, ...plan.problems, ...dangling].sort(byPlace),
      standing: plan.held === undefined ? undefined : { status: "OutOfSync", ...plan.held },
      declared: loaded.objects.length,
      changes,
    };
  }
}

/** What a sync was told, as text to compare. */
function toldOf({ mode, branch, path, remote, allowPrune, approve, poke }: SyncSettings): string {
  return JSON.stringify([mode, branch, path, remote?.url, allowPrune, approve, poke]);
}

export function remoteBranch(url: string, branch: string): RemoteBranch {
  return { remote: url, branch: `refs/heads/${branch}` };
}

/**
 * The branch recorded when the town was made. A town that has none yet (a clone, or one made by hand) gets the one that
 * is checked out, so that it does not follow whatever a person looks at next.
 */
async function recordedBranch(repository: Repository): Promise<string> {
  const recorded = await repository.config("town.branch");
  if (recorded !== undefined) return recorded;
  const head = (await repository.headBranch())?.replace("refs/heads/", "");
  if (head !== undefined) await repository.setConfig("town.branch", head);
  return head ?? "main";
}
