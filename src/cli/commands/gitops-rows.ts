import type { CommandSpec, FlagSpec } from "../context.ts";
import { CHANGE_FLAGS, NAMESPACE, OUTPUT_ANSWER, outputFlag } from "../resources/flags.ts";

/** A verb of the daemon about one object. */
function aboutObject(
  name: string,
  summary: string,
  flags: readonly FlagSpec[] = [],
  examples: readonly string[] = [],
): CommandSpec {
  return {
    name,
    group: "gitops",
    summary,
    positionals: "TYPE[/NAME] [NAME]",
    flags: [NAMESPACE, ...flags, OUTPUT_ANSWER],
    examples,
    servedBy: name,
    run: async (input, context) => (await import("./object-verb.ts")).runObjectVerb(name, flags, input, context),
  };
}

/** Desired state: what is declared, where it comes from, what was done about it. */
export const gitopsCommands: readonly CommandSpec[] = [
  {
    name: "validate",
    group: "gitops",
    summary: "check manifests on disk (offline; exit 1: problems found)",
    positionals: "[PATH...]",
    flags: [outputFlag("print the problems as json", "json")],
    examples: ["town validate", "town validate manifests/rigs"],
    run: async (input, context) =>
      (await import("../offline.ts")).runOffline(
        "validate",
        { paths: input.args, output: input.flags["output"] ?? "text" },
        context,
      ),
  },
  {
    name: "reconcile",
    group: "gitops",
    summary: "look again at once: at the town, or the objects named",
    positionals: "[TYPE[/NAME]] [NAME...]",
    flags: [
      ...CHANGE_FLAGS,
      {
        name: "allow-prune",
        type: "string",
        value: "REVISION",
        summary: "let the sync to this revision delete what it holds back",
      },
      {
        name: "approve",
        type: "string",
        value: "REVISION",
        summary: "let commits that agents made with git, up to this one, take effect",
      },
    ],
    examples: [
      "town reconcile",
      "town reconcile rig api",
      "town reconcile --allow-prune=1a2b3c4d5e6f",
      "town reconcile --approve=1a2b3c4d5e6f",
    ],
    run: async (input, context) => (await import("./change.ts")).runReconcile(input, context),
  },
  {
    name: "suspend",
    group: "gitops",
    summary: "start nothing new: in the town, or for the objects named",
    positionals: "[TYPE[/NAME]] [NAME...]",
    flags: CHANGE_FLAGS,
    examples: ["town suspend", "town suspend pool crew -n api"],
    run: async (input, context) => (await import("./change.ts")).runSuspend(input, context),
  },
  {
    name: "resume",
    group: "gitops",
    summary: "the opposite of suspend",
    positionals: "[TYPE[/NAME]] [NAME...]",
    flags: CHANGE_FLAGS,
    run: async (input, context) => (await import("./change.ts")).runResume(input, context),
  },
  {
    name: "tree",
    group: "gitops",
    summary: "an object and everything that belongs to it",
    positionals: "TYPE[/NAME] [NAME...]",
    flags: [NAMESPACE],
    examples: ["town tree rig api", "town tree convoy/settings-page"],
    run: async (input, context) => (await import("./tree.ts")).run(input, context),
  },
  aboutObject("history", "the commits that changed an object", [
    { name: "limit", type: "number", value: "COUNT", summary: "newest commits only" },
  ]),
  aboutObject("undo", "write the former document of an object as a new commit", [
    { name: "to", type: "string", value: "REVISION", summary: "as it was then; default: before its last change" },
    { name: "dry-run", type: "boolean", summary: "show the difference, write nothing" },
  ]),
  {
    name: "export",
    group: "gitops",
    summary: "objects as manifests, ready to commit",
    positionals: "[TYPE[/NAME]] [NAME...]",
    flags: [NAMESPACE],
    examples: ["town export", "town export role/crew", "town export pools -n api > pools.yaml"],
    servedBy: "export",
    run: async (input, context) => (await import("./export.ts")).runExport(input, context),
  },
  aboutObject("trace", "where an object comes from: repository, file, line, commit"),
  aboutObject(
    "why",
    "the last decision about an object, and what it rests on",
    [],
    ["town why agent toast", "town why bead/api-x1"],
  ),
];
