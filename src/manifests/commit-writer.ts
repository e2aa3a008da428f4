import { ApiStatusError, messageOf, TownError } from "../errors/town-error.ts";
import type { LockedCheckout } from "../ports/checkout.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { GitIdentity, Repository } from "../ports/git.ts";
import type { Log } from "../ports/log.ts";
import type { DesiredOrigin, TruthWrite, TruthWriter } from "../ports/object-store.ts";
import type { Caller } from "../resource/caller.ts";
import { BUILTIN_SOURCE, readOnlyText } from "../resource/desired-origin.ts";
import type { KindDefinition } from "../resource/kind-definition.ts";
import { keyText } from "../resource/object-meta.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import { recordOf, sealedMessage } from "./api-commits.ts";
import { holdCheckout } from "./checkout-access.ts";
import { type Accepted, Batch, type CommitRequest, takeBatch, type Waiting } from "./commit-batch.ts";
import { type IntentFile, removeIntent, writeIntent } from "./commit-intent.ts";
import { changeTree } from "./git-tree.ts";
import type { TreeFile } from "./git-tree.ts";
import type { LocalValue } from "./local-values.ts";
import { ParseCache } from "./parse-cache.ts";
import { planWrite, type WriteContext } from "./plan-write.ts";
import { REFLOG } from "./reflog.ts";
import { followRemote, pushCommit, remoteTip } from "./remote-truth.ts";
import { recoverCommit, same } from "./recover-commit.ts";
import { SourceDraft } from "./source-draft.ts";

/** Where the manifests are and what a write to them becomes. */
export interface WriteTarget {
  /** Full ref of the tracked branch. */
  readonly branch: string;
  /** Directory of the manifests. */
  readonly directory: string;
  /**
   * `Commit` on the branch; `Branch`: a branch of its own below `town/changes/`, for a person to merge, and the write
   * is answered with 403 and its name; `Refuse`: 403. Default Commit.
   */
  readonly writes?: "Commit" | "Branch" | "Refuse";
  /**
   * Remote (its name, or a URL) whose branch of the same name is the truth: writes are pushed before they are
   * acknowledged. Default none.
   */
  readonly remote?: string;
}

export interface CommitWriterOptions {
  /** The town's own repository. */
  readonly repository: Repository;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  readonly kinds: readonly KindDefinition[];
  /** Where writes go, asked for at every commit. */
  readonly target: () => Promise<WriteTarget>;
  /** Host facts for `${local:NAME}`. */
  readonly locals: () => Promise<ReadonlyMap<string, LocalValue>>;
  readonly originOf: (key: ObjectKey) => DesiredOrigin | undefined;
  /** Resolves once the store shows this commit; called after it is made and before writes are acknowledged. */
  readonly committed: (revision: string) => Promise<void>;
  readonly committer?: Pick<GitIdentity, "name" | "email">;
}

const ATTEMPTS = 5;
const TOWN = { name: "Town", email: "town@town.invalid" };

/**
 * Writes of desired kinds: each becomes a commit on the tracked branch with its caller as author.
 *
 * Flow of a commit: (1) plan the files from the branch's tip; (2) where a checkout has the branch, hold its index and
 * require that each touched path is in index and on disk as in HEAD; (3) record the intent, durably; (4) write objects,
 * durably; (5) move the branch from the tip, else begin anew; (6) put files and index entries in place; (7) forget the
 * intent, release the index.
 *
 * Guarantees: a write that resolved is in the branch's history and on disk. Killed anywhere, `recover` leaves a checkout
 * that `git status` calls clean (or as a person left it). Requests of one caller that wait together share a commit.
 * Commit hooks and signing are not run.
 */
export class CommitWriter implements TruthWriter {
  readonly #options: CommitWriterOptions;
  readonly #cache = new ParseCache();
  readonly #queue: Waiting[] = [];
  #pumping = false;
  #unfinished = false;

  constructor(options: CommitWriterOptions) {
    this.#options = options;
  }

  /**
   * Makes a change of the API true. A change of what comes with the program declares it in the town. Throws
   * ApiStatusError: 403 read-only source, 409, 422.
   */
  async write(asked: TruthWrite): Promise<void> {
    const origin = this.#options.originOf(asked.key);
    const isBuiltin = origin?.source === BUILTIN_SOURCE;
    if (origin !== undefined && (origin.readOnly === true || (isBuiltin && asked.after === undefined)))
      throw readOnly(asked.key, origin);
    const { stated: _, ...override } = { ...asked, before: undefined };
    const change: TruthWrite = isBuiltin ? override : asked;
    const { caller, key, dryRun } = change;
    await this.submit({
      caller,
      key,
      dryRun,
      plan: (draft, context) => planWrite(change, draft, context),
      summary: () => change,
    });
  }

  /** Queues a request; gives the commit that holds it, or undefined when nothing had to change. */
  submit(request: CommitRequest): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, resolve, reject });
      void this.#pump();
    });
  }

  /** Ends what a killed commit left. To be called before the first write, and whenever a checkout is out of step. */
  async recover(): Promise<void> {
    const { repository, files, log, target } = this.#options;
    const outcome = await recoverCommit(repository, files, (await target()).branch);
    this.#unfinished = outcome === "Busy";
    if (outcome !== "Nothing") log.warn({ outcome }, "a commit was interrupted");
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    // Requests that are made in the same turn belong together.
    await Promise.resolve();
    try {
      for (let batch = takeBatch(this.#queue); batch.length > 0; batch = takeBatch(this.#queue)) await this.#run(batch);
    } finally {
      this.#pumping = false;
    }
  }

  async #run(waiting: readonly Waiting[]): Promise<void> {
    const batch = new Batch(waiting);
    try {
      const revision = await this.#commit(batch);
      batch.answerRefused();
      for (const accepted of revision.accepted)
        void this.#acknowledge(accepted.waiting, accepted.isChanged ? revision.commit : undefined);
    } catch (error) {
      batch.answerRefused();
      for (const { reject } of waiting) reject(error);
    }
  }

  async #acknowledge({ request, resolve, reject }: Waiting, commit: string | undefined): Promise<void> {
    if (commit === undefined || request.dryRun) return resolve(undefined);
    try {
      await this.#options.committed(commit);
      resolve(commit);
    } catch (error) {
      reject(
        new TownError(
          "CommitNotApplied",
          `${keyText(request.key)} was changed by commit ${commit}, but the API does not show it yet: ${messageOf(error)}`,
          { cause: error, hint: "See `town status`; the commit is not lost." },
        ),
      );
    }
  }

  async #commit(batch: Batch): Promise<CommitOutcome> {
    if (this.#unfinished) await this.#finishFormer();
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const done = await this.#attempt(batch, await this.#options.target());
      if (done !== "Moved") return done;
    }
    throw new ApiStatusError(
      409,
      "Conflict",
      `nothing was written: the branch moved ${ATTEMPTS} times while the commit was made`,
      { hint: "Something else commits all the time; try again." },
    );
  }

  async #attempt(batch: Batch, target: WriteTarget): Promise<CommitOutcome | "Moved"> {
    const { repository, clock } = this.#options;
    if (target.writes === "Refuse") throw refusedBySetting();
    if (target.remote !== undefined || batch.dryRun || target.writes === "Branch")
      return this.#commitApart(batch, target);
    const checkout = await holdCheckout(repository, clock, target.branch);
    try {
      return await this.#commitLocked(batch, { ...target, checkout });
    } finally {
      await checkout?.release();
    }
  }

  /** Commits that do not begin at the local branch: to a remote, to a branch of their own, or none at all. */
  async #commitApart(batch: Batch, target: WriteTarget): Promise<CommitOutcome | "Moved"> {
    const { repository, log } = this.#options;
    const at = target.remote === undefined ? undefined : { remote: target.remote, branch: target.branch };
    const tip = at === undefined ? await repository.resolve(target.branch) : await remoteTip(repository, at);
    const draft = await this.#draft(tip, target.directory);
    await batch.plan(draft, await this.#context(target.directory), undefined);
    if (batch.dryRun || draft.changes.size === 0) return { accepted: batch.accepted, commit: undefined };
    const { commit, tree } = await this.#write(draft, tip, batch);
    if (tree === draft.tree) return { accepted: batch.accepted, commit: undefined };
    await repository.objects.sync();
    if (target.writes === "Branch") throw await this.#propose(commit, tree, target);
    if (at === undefined) return "Moved";
    const record = recordOf(batch.caller, commit);
    if (record.length > 0) await repository.updateRefs(record, REFLOG);
    if ((await pushCommit(repository, at, commit, tip)) === "Rejected") return "Moved";
    const isFollowed = await followRemote(repository, at, commit).catch(() => false);
    if (!isFollowed) log.info({ branch: target.branch, commit }, "the local branch does not follow its remote");
    return { accepted: batch.accepted, commit };
  }

  /** Keeps a commit on a branch of its own; the answer says which. The same change again has the same branch. */
  async #propose(commit: string, tree: string, { branch, remote }: WriteTarget): Promise<ApiStatusError> {
    const { repository } = this.#options;
    const ref = `refs/heads/town/changes/${tree.slice(0, 12)}`;
    const isNew = await repository.updateRefs([{ ref, to: commit, from: null }], REFLOG);
    if (isNew && remote !== undefined) await pushCommit(repository, { remote, branch: ref }, commit, undefined);
    const [name, target] = [ref, branch].map((one) => one.replace("refs/heads/", ""));
    return new ApiStatusError(
      403,
      "Forbidden",
      `not applied: spec.sync.writes is Branch, so the change is proposed on branch ${name ?? ""}`,
      { hint: `Merge it into ${target ?? ""} to apply it.` },
    );
  }

  async #commitLocked(batch: Batch, at: LockedTarget): Promise<CommitOutcome | "Moved"> {
    const { repository, files } = this.#options;
    const tip = await repository.resolve(at.branch);
    const draft = await this.#draft(tip, at.directory);
    await batch.plan(draft, await this.#context(at.directory), at.checkout);
    if (draft.changes.size === 0) return { accepted: batch.accepted, commit: undefined };
    const changed = await this.#write(draft, tip, batch);
    if (changed.tree === draft.tree) return { accepted: batch.accepted, commit: undefined };
    if (at.checkout !== undefined)
      await writeIntent(repository, files, {
        branch: at.branch,
        from: tip ?? null,
        to: changed.commit,
        checkout: at.checkout.path,
        files: changed.files,
      });
    let isMoved: boolean;
    try {
      await repository.objects.sync();
      isMoved = await repository.updateRefs(
        [{ ref: at.branch, to: changed.commit, from: tip ?? null }, ...recordOf(batch.caller, changed.commit)],
        REFLOG,
      );
    } catch (error) {
      // Whether the branch moved is not known; the intent tells the next look.
      this.#unfinished = at.checkout !== undefined;
      throw error;
    }
    if (!isMoved) {
      if (at.checkout !== undefined) await removeIntent(repository, files);
      return "Moved";
    }
    if (at.checkout !== undefined) await this.#follow(at.checkout, changed.files, draft.changes);
    return { accepted: batch.accepted, commit: changed.commit };
  }

  /** The commit is made: what fails from here on is put right later and does not take it back. */
  async #follow(
    checkout: LockedCheckout,
    changed: readonly IntentFile[],
    texts: ReadonlyMap<string, string | null>,
  ): Promise<void> {
    try {
      for (const { path, to } of changed)
        await checkout.placeFile(path, to === null ? null : { text: texts.get(path) ?? "", mode: to.mode });
      await checkout.stage(new Map(changed.map(({ path, to }) => [path, to])));
      await removeIntent(this.#options.repository, this.#options.files);
    } catch (error) {
      this.#unfinished = true;
      this.#options.log.error({ checkout: checkout.path, err: error }, "a checkout does not follow its branch yet");
    }
  }

  async #write(
    draft: SourceDraft,
    tip: string | undefined,
    batch: Batch,
  ): Promise<{ readonly commit: string; readonly tree: string; readonly files: readonly IntentFile[] }> {
    const { repository, clock, committer } = this.#options;
    const { objects } = repository;
    const changes = new Map<string, TreeFile | null>();
    const files: IntentFile[] = [];
    for (const [path, text] of draft.changes) {
      const from = (await draft.tipFile(path))?.version ?? null;
      const to = text === null ? null : { mode: from?.mode ?? "100644", id: await objects.writeBlob(text) };
      if (same(from, to)) continue;
      changes.set(path, to);
      files.push({ path, from, to });
    }
    const tree = await changeTree(objects, draft.tree, changes);
    const timeMs = clock.now();
    const author = { ...authorOf(batch.caller), timeMs };
    const made = { tree, parents: tip === undefined ? [] : [tip], message: batch.message(), author };
    const commit = await objects.writeCommit({
      ...made,
      message: sealedMessage(batch.caller, made),
      committer: { ...TOWN, ...committer, timeMs },
    });
    return { commit, tree, files };
  }

  async #draft(tip: string | undefined, directory: string): Promise<SourceDraft> {
    const { repository } = this.#options;
    const { objects } = repository;
    return SourceDraft.open(objects, tip, directory, await this.#context(directory), this.#cache);
  }

  async #context(directory: string): Promise<WriteContext> {
    return { kinds: this.#options.kinds, locals: await this.#options.locals(), directory };
  }

  async #finishFormer(): Promise<void> {
    await this.recover();
    if (this.#unfinished)
      throw new ApiStatusError(
        409,
        "Conflict",
        "nothing was written: an earlier commit is made, but its files are not in place yet, and the checkout's index is locked",
        { hint: "Wait for the git that runs there, or remove its index.lock if none does." },
      );
  }
}

interface LockedTarget extends WriteTarget {
  readonly checkout: LockedCheckout | undefined;
}

interface CommitOutcome {
  readonly accepted: readonly Accepted[];
  readonly commit: string | undefined;
}

function authorOf({ name, email }: Caller): Pick<GitIdentity, "name" | "email"> {
  return { name, email: email ?? `${name.replace(/[^A-Za-z0-9._-]+/g, ".")}@town.invalid` };
}

function refusedBySetting(): ApiStatusError {
  return new ApiStatusError(403, "Forbidden", "nothing was written: spec.sync.writes of the Town is Refuse", {
    hint: "Change the manifests in git.",
  });
}

function readOnly(key: ObjectKey, origin: DesiredOrigin): ApiStatusError {
  return new ApiStatusError(403, "Forbidden", `${keyText(key)} cannot be changed here: ${readOnlyText(origin)}`);
}
