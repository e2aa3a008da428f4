import { z } from "zod";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { Verb } from "../resource/verb.ts";
import { agentNamed } from "../work/agent-address.ts";
import { countsOf, type LedgerCounts, type LedgerEntry, ledgerOf, usageOf } from "../work/ledger.ts";
import { isNoUsage, tokensText, totalTokens, type Usage, usageFrom } from "../work/usage.ts";
import { argumentsOf } from "./arguments.ts";

const cvArguments = z.strictObject({ agent: z.string().min(1), limit: z.int().min(1).max(10_000).default(20) });

/** `town agent cv AGENT`: what it worked on, newest first, and what came of it. */
export function agentCvVerb(ports: LoopPorts): Verb {
  return {
    name: "agent cv",
    summary: "what an agent has done and what came of it",
    needs: "view",
    run({ args }) {
      const options = argumentsOf("agent cv", cvArguments, args);
      const { graph, record, identity } = agentNamed(options.agent, ports);
      const entries = ledgerOf(graph, identity);
      const counts = countsOf(record);
      const usage = usageOf(record);
      const shown = entries.slice(0, options.limit);
      const more = entries.length > shown.length ? [`… and ${entries.length - shown.length} more (--limit)`] : [];
      return Promise.resolve({
        text: [heading(identity, counts, usage), ...rows(shown), ...more].join("\n"),
        data: { agent: identity, counts, usage, entries: shown, truncated: more.length > 0 },
      });
    },
  };
}

function heading(identity: string, counts: LedgerCounts, usage: Usage): string {
  const said = [
    `${counts.merged} merged`,
    `${counts.reworked} sent back`,
    `${counts.failed} failed`,
    `${counts.abandoned} abandoned`,
    `${spanText(counts.seconds)} at work`,
    ...(isNoUsage(usage) ? [] : [`${tokensText(totalTokens(usage))} tokens`, `$${usage.costUSD.toFixed(2)}`]),
  ];
  return `${identity}: ${said.join(", ")}`;
}

function rows(entries: readonly LedgerEntry[]): readonly string[] {
  const cells = entries.map((entry) => [
    entry.from.slice(0, 16).replace("T", " "),
    entry.bead,
    entry.result ?? entry.outcome ?? "Working",
    spanText(secondsOf(entry)),
    entry.provider === undefined ? "-" : [entry.provider, entry.model].filter(Boolean).join("/"),
    entry.usage === undefined ? "-" : tokensText(totalTokens(usageFrom(entry.usage))),
    entry.title,
  ]);
  if (cells.length === 0) return [];
  const table = [["FROM", "BEAD", "CAME TO", "TIME", "PROVIDER", "TOKENS", "TITLE"], ...cells];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => (row[column] ?? "").length))) ?? [];
  return table.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

function secondsOf(entry: LedgerEntry): number {
  return entry.to === undefined ? 0 : Math.max(0, (Date.parse(entry.to) - Date.parse(entry.from)) / 1_000);
}

function spanText(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)}s`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)}m`;
  return `${Math.floor(seconds / 3_600)}h${String(Math.round((seconds % 3_600) / 60)).padStart(2, "0")}m`;
}
