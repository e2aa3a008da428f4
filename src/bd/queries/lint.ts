import { textOf } from "../../domain/work-graph/record/facts.ts";

/** A section that the description of a bead of some type should have. */
export interface MissingSection {
  readonly section: string;
  readonly hint: string;
}

const reproduce = { section: "Steps to Reproduce", hint: "how somebody else sees it happen" };
const acceptance = { section: "Acceptance Criteria", hint: "how to see that it is done" };
const success = { section: "Success Criteria", hint: "how to see that the goal is reached" };

/** What Beads asks for by type; other types need nothing. */
const required: Readonly<Record<string, readonly MissingSection[]>> = {
  bug: [reproduce, acceptance],
  task: [acceptance],
  feature: [acceptance],
  epic: [success],
};

/** Sections that are missing. Acceptance criteria may stand in their own field. */
export function lintRecord(record: {
  readonly issue_type: string;
  readonly description?: unknown;
  readonly acceptance_criteria?: unknown;
}): readonly MissingSection[] {
  const body = textOf(record.description).toLowerCase();
  return (required[record.issue_type] ?? []).filter((wanted) => {
    const isGiven = wanted === acceptance && textOf(record.acceptance_criteria).trim() !== "";
    return !isGiven && !body.includes(wanted.section.toLowerCase());
  });
}
