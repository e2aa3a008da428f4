import { statusBook } from "../../domain/work-graph/record/statuses.ts";
import { settingsOf } from "../access/settings.ts";
import { TownError } from "../../errors/town-error.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { oneArgument, twoArguments } from "../grammar/arguments.ts";
import { didYouMean } from "../grammar/suggestion.ts";
import { usageError } from "../grammar/usage-error.ts";
import { cleanLine } from "../output/plain-text.ts";
import { table } from "../output/table.ts";
import { validTypeName } from "../../domain/work-graph/record/bead-types.ts";
import { customTypes, machineTypes, workTypes } from "../values/issue-type.ts";
import { durationOf } from "../values/time.ts";

/** Settings that have an effect here, with what they take. Others are kept for the tools that read them. */
const known: Readonly<Record<string, { readonly summary: string; readonly check: (value: string) => unknown }>> = {
  "status.custom": { summary: "name:category,… with category active, wip, done or frozen", check: statusBook },
  "types.custom": {
    summary: "further types, NAME,…",
    check: (value) => {
      const bad = customTypes(value).find((name) => !validTypeName(name));
      if (bad !== undefined)
        throw usageError(`invalid type name "${bad}"`, "use lower-case letters, digits, '-' and '_'");
    },
  },
  "claim.lease": { summary: "how long a claim lasts without a heartbeat; default 4h", check: durationOf },
  "sync.remote": { summary: "remote of bd sync; default origin", check: () => undefined },
};

export const configSetCommand: BdCommand = {
  name: "config set",
  group: "Store",
  summary: "set a setting of this store",
  args: "<key> <value>",
  examples: ["bd config set status.custom in_review:wip,verified:done", "bd config set claim.lease 8h"],
  writes: true,
  run: async (call) => {
    const [key, value] = twoArguments(call.args, "bd config set KEY VALUE");
    requireKey(key);
    requirePerson(call);
    known[key]?.check(value);
    await call.context.tools.changeSettings(call.home, { [key]: value });
    return { text: `Set ${key} = ${cleanLine(value)}`, json: { key, value }, notes: effectNote(key) };
  },
};

/** What to say of a setting that is kept and read by nothing here, when it looks like a slip. */
function effectNote(key: string): readonly string[] {
  const meant = Object.hasOwn(known, key) ? undefined : didYouMean(key, Object.keys(known));
  return meant === undefined ? [] : [`Note: no setting with an effect is called ${key}; ${meant}`];
}

export const configGetCommand: BdCommand = {
  name: "config get",
  group: "Store",
  summary: "one setting",
  args: "<key>",
  run: async (call) => {
    const key = oneArgument(call.args, "bd config get KEY");
    const value = isPrefix(key) ? call.home.prefix : (await settingsOf(call.home, call.context))[key];
    return { text: value === undefined ? `${key} (not set)` : cleanLine(value), json: { key, value: value ?? "" } };
  },
};

export const configListCommand: BdCommand = {
  name: "config list",
  group: "Store",
  summary: "all settings",
  run: async (call) => {
    const settings = { issue_prefix: call.home.prefix, ...(await settingsOf(call.home, call.context)) };
    return {
      text: [
        ...Object.entries(settings).map(([key, value]) => `${key} = ${cleanLine(value)}`),
        "",
        "Settings with an effect:",
        table(Object.entries(known).map(([key, { summary }]) => [`  ${key}`, summary])),
      ].join("\n"),
      json: settings,
    };
  },
};

export const configUnsetCommand: BdCommand = {
  name: "config unset",
  group: "Store",
  summary: "remove a setting",
  args: "<key>",
  writes: true,
  run: async (call) => {
    const key = oneArgument(call.args, "bd config unset KEY");
    requireKey(key);
    requirePerson(call);
    await call.context.tools.changeSettings(call.home, { [key]: undefined });
    return { text: `Unset ${key}`, json: { key } };
  },
};

function isPrefix(key: string): boolean {
  return key === "issue_prefix" || key === "issue-prefix" || key === "prefix";
}

function requireKey(key: string): void {
  if (isPrefix(key))
    throw usageError(
      "the prefix is no setting of the store",
      "bd init --prefix PREFIX; in a town, spec.prefix of the rig",
    );
  if (!/^[A-Za-z][A-Za-z0-9._-]{0,99}$/.test(key))
    throw usageError(`invalid key "${key}"`, "use letters, digits, '.', '_' and '-'");
}

// What everybody's commands do is not for one session to change.
function requirePerson({ context }: Call): void {
  if (context.session === undefined || context.session.managesBeads) return;
  throw new TownError("Forbidden", `${context.actor} may not change settings of the store`, {
    hint: "ask the overseer",
  });
}

export const typesCommand: BdCommand = {
  name: "types",
  group: "Help",
  summary: "types of beads",
  run: async (call): Promise<Answer> => {
    const custom = customTypes((await settingsOf(call.home, call.context))["types.custom"]);
    const rows = (types: Readonly<Record<string, string>>) =>
      Object.entries(types).map(([name, description]) => [`  ${name}`, description]);
    return {
      text: [
        "Types of work:",
        table(rows(workTypes)),
        "",
        "Made by commands:",
        table(rows(machineTypes)),
        ...(custom.length === 0 ? [] : ["", "Custom:", ...custom.map((name) => `  ${name}`)]),
      ].join("\n"),
      json: {
        core_types: Object.entries(workTypes).map(([name, description]) => ({ name, description })),
        machine_types: Object.entries(machineTypes).map(([name, description]) => ({ name, description })),
        custom_types: custom,
      },
    };
  },
};

export const statusesCommand: BdCommand = {
  name: "statuses",
  group: "Help",
  summary: "statuses of beads and what they mean for readiness",
  run: async (call): Promise<Answer> => {
    const setting = (await settingsOf(call.home, call.context))["status.custom"];
    const builtIn = statusBook().names;
    const book = statusBook(setting);
    const custom = book.names.filter((name) => !builtIn.includes(name));
    const row = (name: string) => ({ name, category: book.categoryOf(name) });
    return {
      text: [
        table(book.names.map((name) => [name, book.categoryOf(name) ?? "", custom.includes(name) ? "custom" : ""])),
        "",
        "active may be ready; wip is somebody's; done unblocks what waits;",
        "frozen is set aside",
      ].join("\n"),
      json: { built_in_statuses: builtIn.map(row), custom_statuses: custom.map(row) },
    };
  },
};
