import { statusesOf } from "../../domain/work-graph/record/statuses.ts";
import { allStoresFlag, scopeOf } from "../access/scope.ts";
import { settingsOf } from "../access/settings.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { flag, number, text } from "../grammar/flag.ts";
import type { ListedBead } from "../output/listing.ts";
import { listing } from "../output/listing.ts";
import { inOrder, sortField } from "../queries/find-beads.ts";
import { fieldsOf, queryFit } from "../queries/query-fit.ts";
import { parseQuery } from "../queries/query-words.ts";

const defaultLimit = 50;

export const queryCommand: BdCommand = {
  name: "query",
  group: "Finding work",
  summary: "beads that an expression fits: fields compared, joined by AND, OR, NOT and brackets",
  args: "<expression>",
  flags: [
    flag("all", "closed ones, too; also when the expression names status or closed", "a"),
    number("limit", "N", "at most N; default 50, 0 for all", "n"),
    text("sort", "FIELD", "priority, created, updated, closed, due, status, id, title, type, assignee"),
    flag("reverse", "the other way around", "r"),
    allStoresFlag,
  ],
  examples: [
    'bd query "status=open AND priority<=1 AND updated>7d"',
    'bd query "(type=bug OR label=urgent) AND NOT assignee=none" --json',
  ],
  run: runQuery,
};

async function runQuery(call: Call): Promise<Answer> {
  const { flags, args, now, context, author } = call;
  const query = parseQuery(args.join(" "));
  const named = fieldsOf(query);
  const isAll = flags.isSet("all") || named.has("status") || named.has("closed");
  const found: ListedBead[] = [];
  for (const graph of scopeOf(call)) {
    const statuses = statusesOf(await settingsOf(graph, context));
    const test = queryFit(query, { now, statuses, actor: author.actor });
    for (const record of graph.list()) {
      const isHidden =
        (!isAll && record.status === "closed") ||
        (record.ephemeral === true && !named.has("ephemeral")) ||
        (record.is_template === true && !named.has("template"));
      if (!isHidden && test(record)) found.push({ graph, record });
    }
  }
  const key = sortField(flags.text("sort") ?? "priority");
  const limit = flags.number("limit") ?? defaultLimit;
  return listing(call, inOrder(found, key, call), { limit, isTree: false, nothing: "No issues found." });
}
