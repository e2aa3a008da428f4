import { TerminalError } from "../errors/town-error.ts";
import type { FileVersion } from "../ports/checkout.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import { isRecord } from "../resource/equality.ts";

const INTENT_VERSION = 1;

/** One file of a commit that a checkout has to follow. */
export interface IntentFile {
  readonly path: string;
  /** In the commit before; null: the file is new. */
  readonly from: FileVersion | null;
  /** In the new commit; null: the file goes. */
  readonly to: FileVersion | null;
}

/** What a commit to a checked-out branch is about to do, written before anything can be seen of it. */
export interface CommitIntent {
  readonly formatVersion: number;
  /** Full ref. */
  readonly branch: string;
  /** Commit of the branch before; null: it had none. */
  readonly from: string | null;
  readonly to: string;
  /** Top directory of the checkout. */
  readonly checkout: string;
  readonly files: readonly IntentFile[];
}

function intentPath(repository: Repository): string {
  return `${repository.commonDirectory}/town/commit-intent.json`;
}

/** Durable when it resolves. */
export async function writeIntent(
  repository: Repository,
  files: Files,
  intent: Omit<CommitIntent, "formatVersion">,
): Promise<void> {
  await files.makeDirectory(`${repository.commonDirectory}/town`);
  await files.writeAtomic(intentPath(repository), `${JSON.stringify({ formatVersion: INTENT_VERSION, ...intent })}\n`, {
    mode: 0o600,
  });
}

/** A removal that a power loss undoes is harmless: the intent is then found finished. */
export async function removeIntent(repository: Repository, files: Files): Promise<void> {
  await files.remove(intentPath(repository));
}

/** Throws TerminalError `IntentTooNew` for one of a later version, `IntentDamaged` for what is none. */
export async function readIntent(repository: Repository, files: Files): Promise<CommitIntent | undefined> {
  const path = intentPath(repository);
  const text = await files.readText(path);
  if (text === undefined) return undefined;
  const value = parsed(text);
  if (!isRecord(value) || typeof value["formatVersion"] !== "number") {
    throw new TerminalError("IntentDamaged", `Cannot read ${path}: it is not a record of a commit.`, {
      hint: "See what `git status` says in the town's checkout, put that right, then remove the file.",
    });
  }
  if (value["formatVersion"] > INTENT_VERSION) {
    throw new TerminalError(
      "IntentTooNew",
      `Cannot read ${path}: it has format version ${value["formatVersion"]}, this program knows ${INTENT_VERSION}.`,
      { hint: "Start the newer version of town once; it finishes the commit." },
    );
  }
  return value as unknown as CommitIntent;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
