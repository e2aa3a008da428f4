import type { CommandSpec, FlagSpec } from "../context.ts";
import { outputFlag } from "../resources/flags.ts";

const JSON_ONLY: FlagSpec = outputFlag("print as json", "json");

function formulaCommand(
  action: string,
  summary: string,
  more: Pick<CommandSpec, "positionals" | "examples"> & { readonly flags?: readonly FlagSpec[] },
): CommandSpec {
  return {
    name: `formula ${action}`,
    group: "workflows",
    summary,
    flags: [JSON_ONLY],
    ...more,
    run: async (input, context) =>
      (await import("../offline.ts")).runOffline(
        "formula",
        { action, names: input.args, vars: input.flags["var"] ?? [], output: input.flags["output"] ?? "text" },
        context,
      ),
  };
}

/** Workflows as files: read where one stands, without a daemon. */
export const formulaCommands: readonly CommandSpec[] = [
  formulaCommand("list", "the formulas of the town and those built in", {
    positionals: "",
    examples: ["town formula list"],
  }),
  formulaCommand("show", "what a formula takes, its steps, and which file it is", {
    positionals: "NAME",
    examples: ["town formula show work"],
  }),
  formulaCommand("validate", "check formulas on disk (exit 1: errors found)", {
    positionals: "[NAME|FILE...]",
    examples: ["town formula validate", "town formula validate formulas/release.formula.toml"],
  }),
  formulaCommand("cook", "compile a formula with values; nothing is poured", {
    positionals: "NAME",
    flags: [
      { name: "var", type: "list", value: "NAME=VALUE", summary: "value of a variable" },
      { ...JSON_ONLY, choices: ["json", "yaml"], summary: "print all of it as json or yaml" },
    ],
    examples: ["town formula cook release --var version=1.2.3", "town formula cook work -o yaml"],
  }),
];
