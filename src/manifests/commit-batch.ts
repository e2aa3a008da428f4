import type { LockedCheckout } from "../ports/checkout.ts";
import type { Caller } from "../resource/caller.ts";
import { keyText } from "../resource/object-meta.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import { changeSummary, commitMessage, type SummarisedChange } from "./change-summary.ts";
import { requireClean } from "./checkout-access.ts";
import { withDeletions } from "./deletion-trailer.ts";
import type { PlannedFile, WriteContext } from "./plan-write.ts";
import type { SourceDraft } from "./source-draft.ts";

/** A change that waits for a commit. */
export interface CommitRequest {
  readonly caller: Caller;
  readonly key: ObjectKey;
  readonly dryRun: boolean;
  /** Decides what becomes of the files; undefined: nothing changes. Throws ApiStatusError to refuse. */
  plan(draft: SourceDraft, context: WriteContext): Promise<PlannedFile | undefined>;
  /** For the message, after `plan`. */
  summary(): SummarisedChange | string;
}

/** A request with those who wait for it. */
export interface Waiting {
  readonly request: CommitRequest;
  readonly resolve: (revision: string | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** A request that was not refused. */
export interface Accepted {
  readonly waiting: Waiting;
  readonly isChanged: boolean;
  /** The object's document is gone. */
  readonly isDeleted: boolean;
}

/** Requests that share a commit. One that is refused leaves; the others go on. */
export class Batch {
  #waiting: readonly Waiting[];
  #accepted: Accepted[] = [];
  readonly #refused: (() => void)[] = [];

  constructor(waiting: readonly Waiting[]) {
    this.#waiting = waiting;
  }

  get accepted(): readonly Accepted[] {
    return this.#accepted;
  }

  get dryRun(): boolean {
    return this.#waiting.every(({ request }) => request.dryRun);
  }

  get caller(): Caller {
    return this.#waiting[0]?.request.caller ?? { name: "Town", role: "loop" };
  }

  /** Puts every request's change on the draft; repeatable on another draft. */
  async plan(draft: SourceDraft, context: WriteContext, checkout: LockedCheckout | undefined): Promise<void> {
    this.#accepted = [];
    for (const waiting of this.#waiting) {
      const { request, reject } = waiting;
      try {
        const planned = await request.plan(draft, context);
        if (planned !== undefined && checkout !== undefined)
          await requireClean(request.key, planned.path, draft, checkout);
        if (planned !== undefined) draft.change(planned.path, planned.text, request.key, planned.isDeclared);
        this.#accepted.push({ waiting, isChanged: planned !== undefined, isDeleted: planned?.isDeclared === false });
      } catch (error) {
        this.#refused.push(() => reject(error));
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
      }
    }
  }

  /** Tells those that were refused; after the checkout is free again, since they may turn to it at once. */
  answerRefused(): void {
    for (const tell of this.#refused.splice(0)) tell();
  }

  message(): string {
    const deleted = this.#accepted.filter(({ isDeleted }) => isDeleted).map(({ waiting }) => waiting.request.key);
    return withDeletions(this.#summary(), deleted);
  }

  #summary(): string {
    const summaries = this.#accepted
      .filter(({ isChanged }) => isChanged)
      .map(({ waiting }) => waiting.request.summary());
    const [only] = summaries;
    if (typeof only === "string" && summaries.length === 1) return `${only}\n`;
    if (summaries.every((one) => typeof one !== "string")) return commitMessage(summaries);
    return `${summaries.length} objects\n\n${summaries.map((one) => `- ${typeof one === "string" ? one : changeSummary(one)}\n`).join("")}`;
  }
}

/** The first request and those of the same caller that wait, unless another's request for the object comes between. */
export function takeBatch(queue: Waiting[]): readonly Waiting[] {
  const [first] = queue;
  if (first === undefined) return [];
  const isWith = ({ request }: Waiting): boolean =>
    request.dryRun === first.request.dryRun && sameAuthor(request.caller, first.request.caller);
  const passed = new Set<string>();
  const batch: Waiting[] = [];
  for (const waiting of queue) {
    const key = keyText(waiting.request.key);
    if (isWith(waiting) && !passed.has(key)) batch.push(waiting);
    else passed.add(key);
  }
  queue.splice(0, queue.length, ...queue.filter((waiting) => !batch.includes(waiting)));
  return batch;
}

function sameAuthor(a: Caller, b: Caller): boolean {
  return a.name === b.name && a.email === b.email;
}
