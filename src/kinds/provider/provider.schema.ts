import { z } from "zod";
import { patternProblem } from "../../domain/agent-program/screen-state.ts";
import { USAGE_FORMATS, type UsageFormat } from "../../domain/agent-program/usage-records.ts";
import { DEFAULT_TURN_LIMIT } from "../../work/launch.ts";
import { duration, environmentEntry, statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";
import { AGE, readyColumn } from "../../resource/standard-columns.ts";

const USAGE_FORMAT_NAMES = Object.keys(USAGE_FORMATS) as [UsageFormat, ...UsageFormat[]];

const pattern = () =>
  z.string().superRefine((source, context) => {
    const problem = patternProblem(source);
    if (problem !== undefined)
      context.addIssue({ code: "custom", message: `must be a regular expression: ${problem}` });
  });

/** Things a program can tell Town about through its own hooks. */
export const HOOK_EVENTS = ["SessionStart", "PromptSubmit", "Stop", "PreCompact"] as const;

const hookFiles = z
  .array(
    z.strictObject({
      path: z
        .string()
        .regex(/^(?!\/)(?!.*\.\.)[A-Za-z0-9._/-]+$/, { error: "must be a relative path without '..'" })
        .describe("Path of the file, relative to `{hooks}`."),
      text: z
        .string()
        .describe(
          "Content. Filled in: `{hooks}`, `{sandbox}`, and empty where there is none `{prompt}` and `{session}`, the conversation that is gone on with.",
        ),
    }),
  )
  .default([])
  .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["path"] })
  .describe("Files of the session's own, outside of its worktree, in the directory `{hooks}`.");

export const providerSpec = z.strictObject({
  command: z.array(z.string().min(1)).min(1).describe("Program and arguments of every start."),
  args: z.array(z.string()).default([]).describe("Further arguments of a session at a terminal."),
  autonomyArgs: z
    .array(z.string())
    .default([])
    .describe("Arguments that let it work without asking; empty unless you turn them on."),
  model: z.string().optional().describe("Model. Default: the program's own choice."),
  modelArgs: z.array(z.string()).default([]).describe("Arguments that choose the model; `{model}` stands for it."),
  effort: z.string().optional().describe("Effort setting, as the program wants it."),
  effortArgs: z.array(z.string()).default([]).describe("Arguments that set the effort; `{effort}` stands for it."),
  prompt: z
    .strictObject({
      mode: z
        .enum(["None", "Argument", "Stdin", "Paste", "File"])
        .default("None")
        .describe(
          "How the first prompt is given. Argument, File: by `args`. Stdin: as standard input. Paste: typed once the screen shows that it takes input.",
        ),
      args: z
        .array(z.string())
        .default(["{prompt}"])
        .describe("Arguments with `{prompt}`, the text, or `{promptFile}`, a file with it."),
    })
    .prefault({})
    .describe("How the program is told what to do first."),
  ready: z
    .strictObject({
      screen: pattern().optional().describe("Regular expression that the screen shows when the program takes input."),
      busyScreen: pattern().optional().describe("Regular expression that the screen shows while it works."),
      idleTitle: pattern().optional().describe("Regular expression of the terminal title while idle."),
      busyTitle: pattern().optional().describe("Regular expression of the terminal title while busy."),
      delay: duration().default("0s").describe("Least time after the start before anything is typed."),
    })
    .prefault({})
    .describe("How readiness and busyness show."),
  resume: z
    .strictObject({
      args: z
        .array(z.string())
        .optional()
        .describe("Arguments to go on with a former session; `{session}` stands for its id."),
      sessionIdArgs: z
        .array(z.string())
        .optional()
        .describe("Arguments that choose the id of a new session, a UUID put for `{session}`."),
    })
    .optional()
    .describe("How a former conversation is found again."),
  headless: z
    .strictObject({
      args: z.array(z.string()).describe("Arguments for one turn without a terminal; `{prompt}` stands for the text."),
      resumeArgs: z
        .array(z.string())
        .optional()
        .describe("Instead of `args`: one more turn of the session `{session}`."),
      forkArgs: z
        .array(z.string())
        .optional()
        .describe("Instead of `args`: one turn of a copy of the session `{session}`, which stays as it is."),
      sessionIdPattern: pattern()
        .optional()
        .describe("Regular expression whose first group finds the session id in a turn's output."),
      turnLimit: duration()
        .default(DEFAULT_TURN_LIMIT)
        .describe("A turn that takes longer is ended and counts as a failure; its conversation is gone on with."),
    })
    .optional()
    .describe("Form without a terminal: for the process runtime and for questions to former sessions."),
  hooks: z
    .strictObject({
      events: z
        .array(z.enum(HOOK_EVENTS))
        .min(1)
        .meta({ "x-kubernetes-list-type": "set" })
        .describe("Events of the program that call Town."),
      files: hookFiles,
      args: z.array(z.string()).default([]).describe("Arguments that make the program read them."),
      env: z
        .array(z.strictObject({ name: z.string().describe("Name."), value: z.string().describe("Value.") }))
        .default([])
        .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
        .describe("Environment that makes the program read them."),
    })
    .optional()
    .describe("How the program's own hooks call Town. Absent: it is told by typing only."),
  patterns: z
    .strictObject({
      rateLimited: pattern()
        .optional()
        .describe("Regular expression of a screen that says a limit is reached; the reset time is read after it."),
      limitDialog: pattern()
        .optional()
        .describe(
          "Regular expression of a screen that asks what to do about a limit. It needs no person: once the limit is over the session is started anew, with its conversation.",
        ),
      authRequired: pattern().optional().describe("Regular expression of a screen that asks to log in."),
      dialogOpen: pattern()
        .optional()
        .describe("Regular expression of a screen with a question of the program itself."),
    })
    .optional()
    .describe("Screens that are neither work nor a stall."),
  version: z
    .strictObject({
      args: z.array(z.string()).min(1).default(["--version"]).describe("Arguments that print the version."),
      tested: z
        .strictObject({
          from: z.string().describe("Oldest version."),
          to: z.string().describe("Newest version."),
        })
        .optional()
        .describe("Versions that passed `town provider test`, both included; others work at your own risk."),
    })
    .prefault({})
    .describe("Which versions of the program are known to work."),
  login: z
    .strictObject({
      statusArgs: z
        .array(z.string())
        .min(1)
        .describe("Arguments with which it ends with 0 when somebody is logged in."),
      hint: z.string().min(1).describe("What a person does to log in."),
    })
    .optional()
    .describe("How `town doctor` finds out whether it can be used. Absent: only its screen tells."),
  usage: z
    .strictObject({
      format: z
        .enum(USAGE_FORMAT_NAMES)
        .describe("Whose form the record has that the program's start hook names as transcript_path."),
      prices: z
        .array(
          z.strictObject({
            model: pattern().describe("Regular expression of the model's name; the first that fits counts."),
            input: z.number().min(0).describe("Dollars for a million tokens sent that no cache held."),
            output: z.number().min(0).describe("For a million tokens received."),
            cacheRead: z.number().min(0).default(0).describe("For a million tokens read from the cache."),
            cacheWrite: z.number().min(0).default(0).describe("For a million tokens written to the cache."),
          }),
        )
        .default([])
        .meta({ "x-kubernetes-list-type": "atomic" })
        .describe("What models cost. Without a price tokens are counted and money is not."),
    })
    .optional()
    .describe("How tokens are counted. Absent: they are not."),
  install: z.string().optional().describe("Command that installs the program, shown when it is missing."),
  env: z
    .array(environmentEntry())
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
    .describe("Environment of the program."),
});

export const providerStatus = z.object({
  ...statusBase,
  program: z.string().optional().describe("Path of the program."),
  version: z.string().optional().describe("Version it tells."),
  fingerprint: z.string().optional().describe("File, size and time that the version belongs to."),
  tested: z
    .object({ from: z.string().describe("Oldest version."), to: z.string().describe("Newest version.") })
    .optional()
    .describe("Versions that passed `town provider test` here."),
  testedTime: z.string().optional().describe("When the conformance test last passed (RFC 3339)."),
  hold: z
    .object({
      reason: z.enum(["RateLimited", "AuthRequired", "DialogOpen"]).describe("What an agent of it showed."),
      since: z.string().describe("Since when (RFC 3339)."),
      until: z.string().describe("No session is started before this time (RFC 3339)."),
      agent: z.string().describe("Agent that showed it."),
      message: z.string().describe("Details for a person."),
    })
    .optional()
    .describe("Why new sessions wait."),
  liftedTime: z.string().optional().describe("When the last limit turned out to be over before its time (RFC 3339)."),
});

export const provider = defineKind({
  group: "town.dev",
  kind: "Provider",
  plural: "providers",
  // Those that ship are in every town: `get all` is about what somebody made.
  categories: ["town"],
  scope: "Cluster",
  truth: "Desired",
  description: "A program that can be an agent: how it starts, takes prompts, resumes and shows its state.",
  spec: providerSpec,
  status: providerStatus,
  columns: [
    { name: "Command", type: "string", jsonPath: ".spec.command[0]", description: "Program." },
    { name: "Version", type: "string", jsonPath: ".status.version", description: "Version of the program." },
    readyColumn("Whether the program is there."),
    {
      name: "Tested",
      type: "string",
      jsonPath: '.status.conditions[?(@.type=="Tested")].status',
      description: "Whether the version is known to work.",
    },
    { name: "Hold", type: "string", jsonPath: ".status.hold.reason", description: "Why new sessions wait." },
    AGE,
  ],
});

export type ProviderSpec = z.infer<typeof providerSpec>;
export type ProviderStatus = z.infer<typeof providerStatus>;
