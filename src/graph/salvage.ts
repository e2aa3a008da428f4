import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { recordPath } from "../domain/work-graph/ids/record-path.ts";
import { canonicalJson } from "../domain/work-graph/record/canonical.ts";
import type { CommitInfo, Repository } from "../ports/git.ts";
import { logPositions, versionFile, versionText } from "./git-records.ts";
import type { LostObject, Survey } from "./survey.ts";
import { surveyCommit } from "./survey.ts";

export interface SalvageInput {
  readonly repository: Repository;
  /** The log that this store writes: of two commits the one that has more of it is the later one. */
  readonly logId: string;
  /** Commits that refs of the store name and that may be damaged. */
  readonly suspects: readonly string[];
  /** Versions of records that are known from elsewhere (memory, cache, log); of one bead the latest comes last. */
  readonly known: Iterable<BeadRecord>;
  /** False: nothing is put into the repository. */
  readonly writes: boolean;
}

export interface Salvage {
  /** The suspects that are damaged beyond repair; empty when everything that was lost could be made again. */
  readonly broken: ReadonlySet<string>;
  /** The latest commit that is whole; undefined when there is none. */
  readonly base: Survey | undefined;
  /** What can still be read of the broken ones. */
  readonly remains: readonly Survey[];
  /** What was found missing, before anything was made again. */
  readonly lost: readonly LostObject[];
}

/**
 * What to do about a work branch that leads to objects which git has lost or damaged. Undefined: nothing is missing.
 *
 * Objects are named by what is in them, so that writing what is known of the records again brings back the very ones that
 * are missing, for older commits too. What cannot be made again (a commit, a log file) leaves the latest commit that is
 * whole, and the caller puts on it what it knows beyond.
 */
export async function salvage(input: SalvageInput): Promise<Salvage | undefined> {
  const { repository, writes } = input;
  const suspects = [...new Set(input.suspects)];
  const found = await surveyAll(repository, suspects);
  const lost = [...new Map(found.flatMap((survey) => survey.lost).map((one) => [one.id, one])).values()];
  if (lost.length === 0 && suspects.length > 0) return undefined;
  if (writes) {
    await writeAgain(input, found);
    // Under these names, whatever git believes to have there.
    await repository.objects.restore();
  }
  const remains = writes ? await surveyAll(repository, suspects) : found;
  const broken = remains.filter((survey) => survey.lost.length > 0).map(({ commit }) => commit);
  if (writes && suspects.length > 0 && broken.length === 0)
    return { broken: new Set(), base: undefined, remains, lost };
  const base = await lastWhole(input, remains);
  return { broken: new Set(broken), base, remains: remains.filter((one) => one.lost.length > 0), lost };
}

/** What a ref says, also when git does not have it. */
export async function refValue(repository: Repository, ref: string): Promise<string | undefined> {
  return (await repository.resolve(ref)) ?? (await repository.listRefs(ref)).get(ref);
}

async function surveyAll(repository: Repository, commits: readonly string[]): Promise<readonly Survey[]> {
  const surveys: Survey[] = [];
  for (const commit of commits) surveys.push(await surveyCommit(repository, commit));
  return surveys;
}

async function writeAgain({ repository, known }: SalvageInput, found: readonly Survey[]): Promise<void> {
  const { objects } = repository;
  const files = new Map<string, string>([[versionFile, await objects.writeBlob(versionText)]]);
  for (const survey of found) {
    for (const [path, blob] of survey.files) files.set(path, blob);
    for (const record of survey.records) files.set(recordPath(record.id), await writeRecord(repository, record));
  }
  for (const record of known) files.set(recordPath(record.id), await writeRecord(repository, record));
  await objects.changeTree(objects.emptyTree, files);
}

function writeRecord({ objects }: Repository, record: BeadRecord): Promise<string> {
  return objects.writeBlob(`${canonicalJson(record)}\n`);
}

/** After so many that are damaged too, more and more are passed over: they share what is missing. */
const lookedAtInTurn = 8;

async function lastWhole({ repository, logId }: SalvageInput, remains: readonly Survey[]): Promise<Survey | undefined> {
  const surveyed = new Map(remains.map((survey) => [survey.commit, survey]));
  const candidates = await storeCommits(repository, logId);
  for (let i = 0, step = 1; i < candidates.length; i += step) {
    const commit = candidates[i]?.id ?? "";
    const survey = surveyed.get(commit) ?? (await surveyCommit(repository, commit));
    if (survey.lost.length === 0) return survey;
    if (i >= lookedAtInTurn) step *= 2;
  }
  return undefined;
}

/** Every commit in the repository that a store wrote, the latest first; also those that no ref leads to any more. */
async function storeCommits(repository: Repository, logId: string): Promise<readonly CommitInfo[]> {
  const { objects } = repository;
  const ids = await objects.allCommits();
  const commits: { readonly info: CommitInfo; readonly own: number; readonly all: number }[] = [];
  for (let at = 0; at < ids.length; at += 1_000) {
    for (const info of await Promise.all(ids.slice(at, at + 1_000).map((id) => objects.readCommit(id)))) {
      if (info === undefined) continue;
      const positions = logPositions(info);
      if (positions.size === 0) continue;
      const all = [...positions.values()].reduce((sum, seq) => sum + seq, 0);
      commits.push({ info, own: positions.get(logId) ?? 0, all });
    }
  }
  const time = ({ committer }: CommitInfo): number => committer.timeMs ?? 0;
  return commits.sort((a, b) => b.own - a.own || b.all - a.all || time(b.info) - time(a.info)).map(({ info }) => info);
}
