import { AdapterError } from "../../errors/town-error.ts";
import { gitFailure, type GitCommand, type GitRunOptions } from "./git-command.ts";

export interface MergedTree {
  readonly tree: string;
  readonly conflicts: readonly string[];
}

interface Request {
  readonly ours: string;
  readonly theirs: string;
  readonly resolve: (merged: MergedTree) => void;
  readonly reject: (error: unknown) => void;
}

const flags = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"];

/** So that one merge that takes long does not hold up too many others. */
const mostAtOnce = 200;

/**
 * Merges of commits without a checkout. What is asked while a merge runs is done together by the next git process
 * (`merge-tree --stdin`, which answers only when its input ends): all open merge requests cost about as much as one.
 */
export class MergeTrees {
  readonly #command: GitCommand;
  readonly #gitDirectory: string;
  #waiting: Request[] = [];
  #running = false;

  constructor(command: GitCommand, gitDirectory: string) {
    this.#command = command;
    this.#gitDirectory = gitDirectory;
  }

  /** `ours` and `theirs` are commit ids. */
  merge(ours: string, theirs: string): Promise<MergedTree> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ours, theirs, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const requests = this.#waiting.slice(0, mostAtOnce);
      this.#waiting = this.#waiting.slice(mostAtOnce);
      const merged = requests.length === 1 ? undefined : await this.#together(requests).catch(() => undefined);
      // One that cannot be merged at all ends the process for all of them.
      if (merged === undefined) await Promise.all(requests.map((request) => this.#alone(request)));
      else requests.forEach(({ resolve }, i) => resolve(merged[i] ?? { tree: "", conflicts: [] }));
    }
    this.#running = false;
  }

  /** Undefined when not every request got its answer. */
  async #together(requests: readonly Request[]): Promise<MergedTree[] | undefined> {
    const input = requests.map(({ ours, theirs }) => `${ours} ${theirs}\n`).join("");
    const { stdout } = await this.#command.run([...flags, "--stdin"], {
      ...this.#options(`merge ${requests.length} pairs of commits`),
      input,
      timeoutMs: 1_800_000,
    });
    const merged = parseMerges(stdout.toString("utf8"));
    return merged.length === requests.length ? merged : undefined;
  }

  async #alone({ ours, theirs, resolve, reject }: Request): Promise<void> {
    const options = this.#options(`merge ${theirs} into ${ours}`);
    try {
      const result = await this.#command.run([...flags, ours, theirs], {
        ...options,
        answers: [0, 1, 128],
        timeoutMs: 300_000,
      });
      if (result.exitCode === 128 || result.stdout.length === 0) {
        const unrelated = /unrelated histories/.test(result.stderr);
        throw gitFailure(flags, options.doing, result, unrelated ? "UnrelatedHistories" : "GitFailed");
      }
      const [tree = "", ...conflicts] = result.stdout.toString("utf8").split("\0").slice(0, -1);
      resolve(mergedTree(tree, conflicts));
    } catch (error) {
      reject(
        error instanceof AdapterError
          ? error
          : new AdapterError("GitFailed", `Cannot ${options.doing}.`, { cause: error }),
      );
    }
  }

  #options(doing: string): Pick<GitRunOptions, "place" | "doing"> {
    return { place: { gitDirectory: this.#gitDirectory }, doing: `${doing} in ${this.#gitDirectory}` };
  }
}

/** Reads `merge-tree --stdin -z`: for each merge whether it is clean, the tree, the conflicted paths, and an empty item. */
export function parseMerges(output: string): MergedTree[] {
  const merged: MergedTree[] = [];
  const items = output.split("\0").slice(0, -1);
  for (let at = 0; at < items.length; ) {
    const end = items.indexOf("", at);
    if (end < 0) break;
    merged.push(mergedTree(items[at + 1] ?? "", items.slice(at + 2, end)));
    at = end + 1;
  }
  return merged;
}

function mergedTree(tree: string, conflicts: readonly string[]): MergedTree {
  return { tree, conflicts: [...new Set(conflicts)].sort() };
}
