import { type FencedBlock, fencedBlocks } from "./fenced-blocks.ts";
import type { Hook, Prime } from "./prime.ts";

/** What the agent does next, from one reading of its hook. */
export type Decision =
  | { readonly do: "Exit" }
  | { readonly do: "Idle" }
  | {
      readonly do: "Work";
      readonly hook: Hook;
      /** Name of the step; `work` for a bead without steps. */
      readonly step: string;
      readonly scripts: readonly string[];
      /** A reason not to run anything, for a text that cannot be trusted to be whole. */
      readonly refusal: string | undefined;
      /** Step to close afterwards; absent: hand the work in. */
      readonly close: string | undefined;
    };

/** The step in which a bead's own blocks run, and the one that ends in `town done`. */
const IMPLEMENT = "implement";
const SUBMIT = "submit";

/**
 * Pure. The step `implement`, and a bead without steps, runs the `sh` blocks of the bead; any other step those of its own
 * description. The step `submit`, and the end of all steps, hands in.
 */
export function decide(prime: Prime): Decision {
  const { hook } = prime;
  if (hook === undefined) return prime.exit ? { do: "Exit" } : { do: "Idle" };
  const { step } = hook;
  if (step === undefined) {
    const markdown = hook.molecule ? "" : hook.bead.description;
    return work(hook, hook.molecule ? SUBMIT : "work", markdown, undefined);
  }
  const markdown = step.name === IMPLEMENT ? hook.bead.description : step.description;
  return work(hook, step.name, markdown, step.name === SUBMIT ? undefined : step.id);
}

function work(hook: Hook, step: string, markdown: string, close: string | undefined): Decision {
  const blocks = fencedBlocks(markdown).filter((block) => block.language === "sh");
  return { do: "Work", hook, step, scripts: blocks.map((block) => block.text), refusal: refusalOf(blocks), close };
}

function refusalOf(blocks: readonly FencedBlock[]): string | undefined {
  const open = blocks.find((block) => !block.closed);
  return (
    open &&
    `the sh block that begins in line ${open.line} of the description has no closing fence, so it may be cut off`
  );
}

/** How work ends: nothing to hand in when the branch is where it began. */
export function outcomeOf(
  hook: Hook,
  head: string,
): { readonly outcome: "Submitted" | "NoChange"; readonly reason?: string } {
  return head === hook.base
    ? { outcome: "NoChange", reason: "the blocks ran and nothing had to change" }
    : { outcome: "Submitted" };
}
