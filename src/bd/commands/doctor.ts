import { settingsOf } from "../access/settings.ts";
import { scopeOf, allStoresFlag } from "../access/scope.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { cleanLine } from "../output/plain-text.ts";
import type { Check } from "../queries/checks.ts";
import { runChecks } from "../queries/checks.ts";
import { statusesOf } from "../../domain/work-graph/record/statuses.ts";

const shownDetails = 10;

export const doctorCommand: BdCommand = {
  name: "doctor",
  group: "Store",
  summary: "look for what is broken or forgotten; exit code 1 for errors",
  flags: [allStoresFlag],
  run: doctor,
};

async function doctor(call: Call): Promise<Answer> {
  const all: (Check & { readonly store: string })[] = [];
  for (const graph of scopeOf(call)) {
    const statuses = statusesOf(await settingsOf(graph, call.context));
    const { setAside } = await call.context.tools.place(graph);
    const objects = await call.context.tools.objects(graph);
    const found = runChecks({ graph, graphs: call.context.graphs, statuses, now: call.now, setAside, objects });
    all.push(...found.map((check) => ({ ...check, store: graph.namespace })));
  }
  const isFine = all.every(({ status }) => status !== "error");
  return {
    text: () => all.map((check) => checkText(check, call)).join("\n"),
    json: { overall_ok: isFine, checks: all, cli_version: call.context.version },
    exitCode: isFine ? 0 : 1,
  };
}

function checkText({ name, status, message, detail, fix }: Check, { paint, own }: Call): string {
  const sign = status === "ok" ? paint("green", "✓") : status === "warning" ? paint("yellow", "⚠") : paint("red", "✗");
  const more =
    detail.length > shownDetails ? [own(`    … ${detail.length - shownDetails} more: bd doctor --json`)] : [];
  return [
    `${sign} ${name}: ${message}`,
    ...detail.slice(0, shownDetails).map((line) => `    ${cleanLine(line)}`),
    ...more,
    ...(fix === undefined || status === "ok" ? [] : [`    fix: ${own(fix)}`]),
  ].join("\n");
}
