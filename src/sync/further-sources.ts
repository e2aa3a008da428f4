import { messageOf } from "../errors/town-error.ts";
import type { Repository } from "../ports/git.ts";
import { forgetInventory, type Inventory, readInventory } from "../manifests/inventory.ts";
import type { LoadedSource } from "../manifests/load-source.ts";
import { LOCAL_FILE, readLocalValues } from "../manifests/local-values.ts";
import { ParseCache } from "../manifests/parse-cache.ts";
import { commitsBetween } from "../manifests/commit-range.ts";
import { byPlace } from "../manifests/problem.ts";
import { REFLOG } from "../manifests/reflog.ts";
import { readSourceAtCommit } from "../manifests/read-source.ts";
import { checkReferences } from "../manifests/references.ts";
import { planSync, type SyncPlan } from "../manifests/sync-plan.ts";
import { BUILTIN_SOURCE } from "../resource/desired-origin.ts";
import { keyText } from "../resource/object-meta.ts";
import { applyPlan } from "./apply-plan.ts";
import { declaredElsewhere, takenBy } from "./other-sources.ts";
import type { Fetched, SourceSync, SourceSyncOptions } from "./source-sync.ts";
import type { Standing, SyncResult } from "./sync-result.ts";
import { type TrustRules, trustedPart } from "./trust.ts";

/** How one Source is followed, from its spec and annotations. */
export interface FurtherSettings {
  readonly name: string;
  /** As git takes it; relative paths are made absolute. */
  readonly url: string;
  /** Short name. */
  readonly branch: string;
  readonly path: string;
  readonly intervalMs: number;
  readonly trusted: boolean;
  readonly prune: boolean;
  readonly allowPrune: string | undefined;
  readonly poke: string | undefined;
}

/** A fetch that takes longer counts as failed. */
const FETCH_MS = 60_000;
const EMPTY: LoadedSource = { objects: [], problems: [], files: 0 };

interface Followed {
  readonly cache: ParseCache;
  inventory: Inventory | undefined;
  fetched: Fetched | undefined;
  last: { readonly result: SyncResult; readonly seen: string } | undefined;
  /** What the last attempt to remove its objects was held by, and what a person had allowed then. */
  removal: { readonly held: SyncPlan["held"]; readonly allowPrune: string | undefined } | undefined;
}

/**
 * Further repositories of manifests. Their commits are fetched into the town repository below `refs/town/sources/`, and
 * the inventory of each is at `refs/town/applied/<source>`.
 */
export class FurtherSources {
  readonly #town: SourceSync;
  readonly #options: SourceSyncOptions & TrustRules;
  readonly #followed = new Map<string, Followed>();

  constructor(town: SourceSync, options: SourceSyncOptions & TrustRules) {
    this.#town = town;
    this.#options = options;
  }

  /** Result of the newest sync in this life. */
  last(name: string): SyncResult | undefined {
    return this.#followed.get(name)?.last?.result;
  }

  fetched(name: string): Fetched | undefined {
    return this.#followed.get(name)?.fetched;
  }

  /** What holds the removal; undefined when it is to be tried. */
  heldRemoval({ name, allowPrune }: FurtherSettings): SyncPlan["held"] {
    const removal = this.#followed.get(name)?.removal;
    return removal?.allowPrune === allowPrune ? removal?.held : undefined;
  }

  /** True when the newest sync did not see what is there now, or was told something else. */
  async isStale(settings: FurtherSettings): Promise<boolean> {
    const last = this.#followed.get(settings.name)?.last;
    return last?.seen !== (await this.#seen(await this.#town.repository(), settings));
  }

  /** Objects of it that were not withdrawn yet. */
  async remaining(name: string): Promise<number> {
    const { entries } = await this.#inventory(await this.#town.repository(), name);
    return [...entries.values()].filter(({ deletionTimestamp }) => deletionTimestamp === undefined).length;
  }

  /** Asks the repository; what it answers is seen by the next sync. Never throws. */
  async fetch(settings: FurtherSettings): Promise<void> {
    const { name, url, branch, poke } = settings;
    let error: string | undefined;
    try {
      const repository = await this.#town.repository();
      await repository.fetch(url, [`+refs/heads/${branch}:${refOf(name)}`], { timeoutMs: FETCH_MS });
    } catch (failure) {
      error = messageOf(failure);
    }
    this.#of(name).fetched = { url: `${url} ${branch}`, timeMs: this.#options.clock.now(), poke, error };
  }

  /** Makes the objects of one source what its commit says. */
  async sync(settings: FurtherSettings): Promise<void> {
    const { name, branch, url, prune, allowPrune } = settings;
    const { store, kinds, clock, references } = this.#options;
    const repository = await this.#town.repository();
    const followed = this.#of(name);
    const seen = await this.#seen(repository, settings);
    const revision = await repository.resolve(refOf(name));
    const standing = this.#standing(settings, revision);
    const outcome = { branch, attempted: revision, revision, timeMs: clock.now() };
    if (revision === undefined) {
      followed.last = { seen, result: { ...outcome, problems: [], standing, declared: 0, changes: 0 } };
      return;
    }
    const former = await this.#inventory(repository, name);
    const loaded = await this.#load(repository, revision, settings);
    const { isForward } = await commitsBetween(repository, former.revision, revision);
    if (!isForward) this.#reportRewrite(name, former.revision, revision);
    const declared = new Set(loaded.objects.map(({ key }) => keyText(key)));
    const known = [
      ...this.#town.builtins.keys,
      ...loaded.problems.flatMap(({ key }) => key ?? []),
      ...declaredElsewhere(store, kinds, name).filter((key) => !declared.has(keyText(key))),
    ];
    const dangling = checkReferences(loaded.objects, { rules: references, known, namespaceKind: "Rig" });
    const plan = planSync({
      revision,
      loaded,
      inventory: former.entries,
      prune,
      target: `source ${name}`,
      takenBy: (key) =>
        // What comes with the program is not overridden by what nobody vouches for.
        !settings.trusted && store.originOf(key)?.source === BUILTIN_SOURCE
          ? "what comes with the program"
          : takenBy(store, key, name),
      ...(allowPrune === undefined ? {} : { allowPrune }),
    });
    const { inventory, changes } = await applyPlan(this.#applyParts(repository), {
      source: { name, repository: url, readOnly: true },
      former,
      plan,
      revision,
      loaded,
    });
    followed.inventory = inventory;
    followed.last = {
      seen,
      result: {
        ...outcome,
        problems: [...loaded.problems, ...plan.problems, ...dangling].sort(byPlace),
        standing: standing ?? (plan.held === undefined ? undefined : { status: "OutOfSync", ...plan.held }),
        declared: loaded.objects.length,
        changes,
      },
    };
  }

  /** Removes what a source declared, as far as the guards let it, then what was kept of it. Repeatable. */
  async withdraw(settings: FurtherSettings): Promise<void> {
    const { name, allowPrune, url } = settings;
    const repository = await this.#town.repository();
    const followed = this.#of(name);
    const former = await this.#inventory(repository, name);
    const revision = former.revision ?? "";
    const plan = planSync({
      revision,
      loaded: EMPTY,
      inventory: former.entries,
      removing: true,
      target: `source ${name}`,
      ...(allowPrune === undefined ? {} : { allowPrune }),
    });
    followed.removal = { held: plan.held, allowPrune };
    if (plan.held !== undefined) return;
    // Objects that are to outlive their source are left to whoever declares them next.
    if (settings.prune) {
      const source = { name, repository: url, readOnly: true };
      const { inventory } = await applyPlan(this.#applyParts(repository), {
        source,
        former,
        plan,
        revision,
        loaded: EMPTY,
      });
      followed.inventory = inventory;
    }
    await forgetInventory(repository, name);
    await repository.updateRefs([{ ref: refOf(name), to: null }], REFLOG);
    this.#followed.delete(name);
  }

  #applyParts(repository: Repository): Parameters<typeof applyPlan>[0] {
    const { store, kinds, clock } = this.#options;
    return { store, kinds, clock, repository, fallback: (key) => this.#town.builtins.fallback(key) };
  }

  async #load(repository: Repository, revision: string, settings: FurtherSettings): Promise<LoadedSource> {
    const { files, root, kinds } = this.#options;
    const locals = readLocalValues(await files.readText(`${root}/${LOCAL_FILE}`)).values;
    const { cache } = this.#of(settings.name);
    const loaded = await readSourceAtCommit(repository, revision, { kinds, locals, directory: settings.path, cache });
    return trustedPart(loaded, settings, this.#options);
  }

  #standing({ name, url, branch }: FurtherSettings, revision: string | undefined): Standing | undefined {
    const error = this.#of(name).fetched?.error;
    if (error === undefined) return undefined;
    const seen = revision === undefined ? "it was never seen" : `it was last seen at ${revision.slice(0, 12)}`;
    return {
      status: "Unknown",
      reason: "SourceUnreachable",
      message: `${branch} of ${url} cannot be fetched: ${error}; ${seen}, and what was applied stays`,
      hint: `It is tried again; at once with \`town reconcile source ${name}\`.`,
    };
  }

  #reportRewrite(name: string, former: string | undefined, revision: string): void {
    this.#options.store.record(
      { kind: "Source", name },
      {
        type: "Warning",
        reason: "HistoryRewritten",
        message: `its branch was rewritten: ${former?.slice(0, 12) ?? ""}, which was applied, is not in the history of ${revision.slice(0, 12)}`,
      },
    );
  }

  async #inventory(repository: Repository, name: string): Promise<Inventory> {
    const followed = this.#of(name);
    followed.inventory ??= await readInventory(repository, name);
    return followed.inventory;
  }

  async #seen(repository: Repository, settings: FurtherSettings): Promise<string> {
    const { intervalMs: _, ...told } = settings;
    return JSON.stringify([told, await repository.resolve(refOf(settings.name)), this.fetched(settings.name)?.error]);
  }

  #of(name: string): Followed {
    const known = this.#followed.get(name);
    if (known !== undefined) return known;
    const made: Followed = {
      cache: new ParseCache(),
      inventory: undefined,
      fetched: undefined,
      last: undefined,
      removal: undefined,
    };
    this.#followed.set(name, made);
    return made;
  }
}

/** The commit of a source that was fetched last, in the town repository. */
function refOf(name: string): string {
  return `refs/town/sources/${name}`;
}
