import { markedData } from "../domain/text/marked-data.ts";
import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import type { Repository } from "../ports/git.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import { metaText } from "../work/record-fields.ts";
import { sandboxFact } from "../work/sandbox-fact.ts";
import type { AgentSession } from "./agent-session.ts";

const DIFF_BYTES = 6_000;
/** Newest commits of the target that are looked through for changes of the same files. */
const LANDED_LOOKED_AT = 30;
const LANDED_SHOWN = 8;

/**
 * For work that was sent back: what the last attempt changed, and what has landed on the same files since it began.
 * Undefined when nothing was handed in before or its commits cannot be read.
 */
export async function lastAttempt(
  session: AgentSession,
  bead: BeadRecord,
  ports: LoopPorts,
): Promise<string | undefined> {
  const head = metaText(bead, META.head);
  const base = sandboxFact(bead)?.base;
  if (head === undefined || base === undefined) return undefined;
  const path = session.namespace === "hq" ? ports.layout.root : ports.layout.clone(session.namespace);
  const repository = await ports.git.open(path);
  const from = await repository?.mergeBase(head, base).catch(() => undefined);
  if (repository === undefined || from === undefined || from === head) return undefined;
  const diff = await repository.diff(from, head, DIFF_BYTES);
  const lines = [
    `What you changed then (git diff ${from.slice(0, 12)} ${head.slice(0, 12)}):`,
    "",
    markedData("your last attempt", diff),
  ];
  const landed = await landedSince(repository, { from, head, base });
  if (landed.length > 0) lines.push("", "Landed on the same files since:", ...landed);
  return lines.join("\n");
}

async function landedSince(
  repository: Repository,
  at: { readonly from: string; readonly head: string; readonly base: string },
): Promise<readonly string[]> {
  const mine = new Set(await repository.changedFiles(at.from, at.head));
  const since = await repository.changedFiles(at.from, at.base);
  if (!since.some((path) => mine.has(path))) return [];
  const lines: string[] = [];
  for (const commit of (await repository.log(at.from, at.base, LANDED_LOOKED_AT)).toReversed()) {
    const [parent] = commit.parents;
    if (parent === undefined || lines.length >= LANDED_SHOWN) continue;
    const same = (await repository.changedFiles(parent, commit.id)).filter((path) => mine.has(path));
    if (same.length > 0)
      lines.push(`- ${commit.id.slice(0, 12)} ${commit.message.split("\n")[0] ?? ""} (${same.slice(0, 3).join(", ")})`);
  }
  return lines;
}
