import type { CommandSpec } from "../context.ts";
import { NAMESPACE, TIMEOUT } from "../resources/flags.ts";

/** Starting, stopping and looking at a town as a whole. */
export const townCommands: readonly CommandSpec[] = [
  {
    name: "init",
    group: "town",
    summary: "make a town: a git repository with first manifests",
    positionals: "[DIR]",
    flags: [
      {
        name: "rig",
        type: "string",
        value: "PATH|URL",
        summary: "repository of the first rig; default: a small sample project",
      },
      {
        name: "name",
        type: "string",
        value: "NAME",
        summary: "name of the first rig; default: the last part of its path",
      },
      {
        name: "gate",
        type: "string",
        value: "COMMAND",
        summary: "what must pass before work is merged; default: found from the project's files",
      },
    ],
    examples: ["town init ~/town", "town init ~/town --rig ~/src/api --gate 'npm test'"],
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
    summary: "stop the town's daemon; agents keep running meanwhile",
    flags: [
      { name: "sessions", type: "boolean", summary: "end the agents' sessions first" },
      { ...TIMEOUT, default: "60s", summary: "longest time to wait until it has stopped" },
    ],
    examples: ["town down", "town down --sessions"],
    run: async (input, context) => (await import("./down.ts")).run(input, context),
  },
  {
    name: "status",
    group: "town",
    summary: "the town on one screen",
    flags: [
      {
        name: "output",
        short: "o",
        type: "string",
        value: "FORMAT",
        choices: ["json", "yaml"],
        summary: "print it as json or yaml",
      },
    ],
    run: async (input, context) => (await import("./status.ts")).run(input, context),
  },
  {
    name: "feed",
    group: "town",
    summary: "what happens, one line each, until interrupted",
    flags: [
      NAMESPACE,
      { name: "tail", type: "number", value: "COUNT", summary: "start with this many recent lines; default 20" },
      { name: "once", type: "boolean", summary: "the recent lines only" },
      {
        name: "output",
        short: "o",
        type: "string",
        value: "FORMAT",
        choices: ["json"],
        summary: "one JSON object a line",
      },
    ],
    run: async (input, context) => (await import("./feed.ts")).run(input, context),
  },
  {
    name: "mayor",
    group: "town",
    summary: "talk to the mayor: hand over a text, or take the terminal",
    positionals: "[TEXT...]",
    flags: [],
    servedBy: "mayor",
    examples: ["town mayor", 'town mayor "build a settings page for the web app"'],
    run: async (input, context) => (await import("./terminal.ts")).runMayor(input, context),
  },
  {
    name: "tmux",
    group: "town",
    summary: "run tmux on the town's own server",
    positionals: "[ARG...]",
    flags: [],
    servedBy: "tmux",
    examples: ["town tmux list-sessions"],
    run: async (input, context) => (await import("./terminal.ts")).runTmux(input, context),
  },
  {
    name: "kubeconfig",
    group: "town",
    summary: "how kubectl reaches this town",
    flags: [
      { name: "write", type: "string", value: "FILE", summary: "write it to a file of its own" },
      { name: "merge", type: "string", value: "FILE", summary: "add it to this kubeconfig, as ~/.kube/config" },
    ],
    servedBy: "kubeconfig",
    examples: ["town kubeconfig --write town.yaml", "town kubeconfig --merge ~/.kube/config"],
    run: async (input, context) => (await import("./kubeconfig.ts")).run(input, context),
  },
  {
    name: "doctor",
    group: "town",
    summary: "check this machine and this town, and say what to mend",
    flags: [
      {
        name: "output",
        short: "o",
        type: "string",
        value: "FORMAT",
        choices: ["json"],
        summary: "print the findings as json",
      },
    ],
    run: async (input, context) =>
      (await import("../offline.ts")).runOffline("doctor", { output: input.flags["output"] ?? "text" }, context),
  },
  {
    name: "version",
    group: "town",
    summary: "version of this command and of the daemon",
    flags: [
      { name: "client", type: "boolean", summary: "of this command only" },
      { name: "output", short: "o", type: "string", value: "FORMAT", choices: ["json"], summary: "print it as json" },
    ],
    run: async (input, context) => (await import("./version.ts")).run(input, context),
  },
  {
    name: "completion",
    group: "town",
    summary: "script that completes commands, types and names in your shell",
    positionals: "bash|zsh|fish",
    flags: [],
    examples: ["source <(town completion bash)", "town completion fish > ~/.config/fish/completions/town.fish"],
    run: async (input, context) => (await import("./completion.ts")).run(input, context),
  },
  {
    name: "attach",
    group: "agents",
    summary: "take the terminal of an agent's session",
    positionals: "AGENT",
    flags: [{ name: "read-only", short: "r", type: "boolean", summary: "look, do not type" }],
    servedBy: "attach",
    run: async (input, context) => (await import("./terminal.ts")).runAttach(input, context),
  },
  {
    name: "bead",
    group: "work",
    summary: "create, show, list, ready, … in bd's grammar (also `town bd`)",
    positionals: "COMMAND [ARG...]",
    flags: [],
    examples: ['town bead create "Fix the login page" -p 1', "town bead list --status open", "town ready"],
    // Reached through the arguments as they are, before any flag is read.
    run: async (input, context) => (await import("./bd.ts")).runBd(input.args, context),
  },
];
