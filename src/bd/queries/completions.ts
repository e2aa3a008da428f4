import { settledNames, statusesOf } from "../../domain/work-graph/record/statuses.ts";
import type { SketchFilter, WorkGraph } from "../../ports/work-graph.ts";
import { settingsOf } from "../access/settings.ts";
import type { BdContext } from "../context.ts";
import type { Wanted } from "../grammar/completion.ts";

/** A screen of them is more than anybody reads. */
const most = 200;

/** What a shell offers for a word that begins so, from what the store knows; of beads the open ones, or else any. */
export async function completionsFor(wanted: Wanted, start: string, context: BdContext): Promise<readonly string[]> {
  const { home } = context;
  const statuses = statusesOf(await settingsOf(home, context));
  // Of a list only the last item is typed.
  const [, before = "", typed = ""] = /^(.*,)?([^,]*)$/s.exec(start) ?? [];
  const labels = wanted.labels === true ? home.sketches().flatMap((bead) => bead.labels ?? []) : [];
  const known = [
    ...wanted.words,
    ...(wanted.statuses === true ? statuses.names : []),
    ...labels,
    ...(wanted.ids === undefined
      ? []
      : idsOf(home, typed, { status: settledNames(statuses), isSettled: wanted.ids === "Closed" })),
  ];
  return [...new Set(known)]
    .filter((word) => word.startsWith(typed))
    .sort()
    .slice(0, most)
    .map((word) => `${before}${word}`);
}

function idsOf(
  graph: WorkGraph,
  start: string,
  { status, isSettled }: { readonly status: readonly string[]; readonly isSettled: boolean },
): readonly string[] {
  const find = (filter: SketchFilter): readonly string[] =>
    graph
      .sketches(filter)
      .map(({ id }) => id)
      .filter((id) => id.startsWith(start));
  const first = find(isSettled ? { status } : { excludeStatus: status });
  return first.length > 0 ? first : find({});
}
