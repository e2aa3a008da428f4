import { findBead } from "../access/find-bead.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { list } from "../grammar/flag.ts";
import type { ListedBead } from "../output/listing.ts";
import { cleanLine } from "../output/plain-text.ts";
import { lintRecord } from "../queries/lint.ts";

export const lintCommand: BdCommand = {
  name: "lint",
  group: "Finding work",
  summary: "beads whose description lacks what their type needs; exit code 1 when there are any",
  args: "[id...]",
  flags: [
    list("type", "TYPE", "only these types", "t"),
    list("status", "STATUS", "only these statuses; default open", "s"),
  ],
  run: lint,
};

function lint(call: Call): Answer {
  const results = looked(call)
    .map(({ record }) => ({ record, missing: lintRecord(record) }))
    .filter(({ missing }) => missing.length > 0);
  const total = results.reduce((sum, { missing }) => sum + missing.length, 0);
  return {
    text:
      results.length === 0
        ? "✓ Nothing is missing."
        : results
            .map(
              ({ record, missing }) =>
                `${record.id} [${record.issue_type}]: ${cleanLine(record.title)}\n${missing.map(({ section, hint }) => `    missing: ${section} (${hint})`).join("\n")}`,
            )
            .join("\n"),
    json: {
      total,
      issues: results.length,
      results: results.map(({ record, missing }) => ({
        id: record.id,
        title: record.title,
        type: record.issue_type,
        missing: missing.map(({ section }) => section),
        warnings: missing.length,
      })),
    },
    exitCode: results.length === 0 ? 0 : 1,
  };
}

function looked(call: Call): readonly ListedBead[] {
  if (call.args.length > 0) return call.args.map((id) => findBead(id, call.context));
  const types = call.flags.list("type");
  const status = call.flags.list("status");
  return call.home
    .list({ status: status.length === 0 ? ["open"] : status })
    .filter(({ ephemeral, issue_type: type }) => ephemeral !== true && (types.length === 0 || types.includes(type)))
    .map((record) => ({ graph: call.home, record }));
}
