import type { CommandSpec } from "../context.ts";
import { TIMEOUT } from "../resources/flags.ts";

/** Starting, stopping and looking at a town as a whole. */
export const townCommands: readonly CommandSpec[] = [
  {
    name: "init",
    group: "town",
    summary: "make a town: a git repository with first manifests",
    positionals: "[DIR]",
    flags: [
      { name: "name", type: "string", value: "NAME", summary: "name of the town; default: that of the directory" },
      { name: "force", type: "boolean", summary: "also where manifests exist already" },
    ],
    examples: ["town init", "town init ~/town"],
    run: async (input, context) => (await import("./init.ts")).run(input, context),
  },
  {
    name: "up",
    group: "town",
    summary: "start the town's daemon",
    flags: [
      { name: "detach", short: "d", type: "boolean", summary: "in the background; return when it is ready" },
      {
        name: "loops",
        type: "string",
        value: "NAMES",
        summary: "run these reconcile loops only, as source,rigs,workers",
      },
      { ...TIMEOUT, default: "60s", summary: "with -d: longest time to wait until it is ready" },
    ],
    examples: ["town up -d", "town up"],
    run: async (input, context) => (await import("./up.ts")).run(input, context),
  },
  {
    name: "down",
    group: "town",
    summary: "stop the town's daemon; agents keep running and are found again by the next `up`",
    flags: [
      { name: "sessions", type: "boolean", summary: "end the agents' sessions first" },
      { ...TIMEOUT, default: "60s", summary: "longest time to wait until it has stopped" },
    ],
    examples: ["town down", "town down --sessions"],
    run: async (input, context) => (await import("./down.ts")).run(input, context),
  },
];
