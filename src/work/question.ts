import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphReader } from "../ports/work-graph.ts";
import { messagesTo, senderOf } from "./mailbox.ts";

/** Metadata key of a bead whose agent waits for an answer: a Question. */
export const QUESTION = "town.question";

export interface Question {
  readonly text: string;
  /** ISO 8601. */
  readonly at: string;
}

export function questionOf(bead: BeadRecord): Question | undefined {
  const value = bead.metadata?.[QUESTION] as Partial<Question> | undefined;
  if (typeof value !== "object" || value === null) return undefined;
  return typeof value.text === "string" && typeof value.at === "string"
    ? { text: value.text, at: value.at }
    : undefined;
}

/** What answers a question: a message to the agent, or a comment of somebody else on its bead, made after it. */
export type Answer =
  | { readonly by: "Message" }
  | { readonly by: "Comment"; readonly author: string; readonly text: string };

export function answerOf(
  graph: GraphReader,
  bead: BeadRecord,
  question: Question,
  identity: string,
): Answer | undefined {
  const later = (time: string): boolean => Date.parse(time) > Date.parse(question.at);
  const told = messagesTo(graph, identity).some(
    (message) => later(message.created_at) && senderOf(message) !== identity && !senderOf(message).startsWith("loop/"),
  );
  if (told) return { by: "Message" };
  const comment = (bead.comments ?? []).findLast((each) => each.author !== identity && later(each.created_at));
  return comment === undefined ? undefined : { by: "Comment", author: comment.author, text: comment.text };
}
