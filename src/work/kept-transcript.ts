import type { LoopPorts } from "../ports/loop-ports.ts";
import type { Conversation } from "./conversation.ts";

/** Directory of the transcripts that the town keeps, by namespace and agent. */
export function transcriptDirectory({ layout }: Pick<LoopPorts, "layout">): string {
  return `${layout.state}/transcripts`;
}

/** Where a copy of a conversation is, or would be, kept; undefined for an id that is no name of a file. */
export function keptTranscript(
  of: { readonly namespace: string; readonly agent: string; readonly session: string },
  ports: Pick<LoopPorts, "layout">,
): string | undefined {
  const isName = /^[A-Za-z0-9][\w.-]{0,127}$/.test(of.session);
  return isName ? `${transcriptDirectory(ports)}/${of.namespace}/${of.agent}/${of.session}.jsonl` : undefined;
}

/**
 * Copies what the agent's program wrote down of conversations held in a worktree that is about to go: programs clean up
 * after themselves, and people ask later. One that cannot be copied is told in the log; it keeps nobody from removing.
 */
export async function keepTranscripts(
  of: {
    readonly namespace: string;
    readonly agent: string;
    readonly directory: string;
    readonly conversations: readonly Conversation[];
  },
  ports: Pick<LoopPorts, "layout" | "files" | "log">,
): Promise<void> {
  const { namespace, agent, directory } = of;
  for (const { session, transcript, directory: held } of of.conversations) {
    const kept = keptTranscript({ namespace, agent, session }, ports);
    if (transcript === undefined || kept === undefined || held !== directory) continue;
    try {
      const [there, copied] = await Promise.all([ports.files.stat(transcript), ports.files.stat(kept)]);
      if (there?.kind !== "File" || copied?.size === there.size) continue;
      await ports.files.makeDirectory(kept.slice(0, kept.lastIndexOf("/")), { mode: 0o700 });
      await ports.files.copy(transcript, kept);
    } catch (error) {
      ports.log.warn({ err: error, agent, namespace, transcript }, "cannot keep a transcript");
    }
  }
}
