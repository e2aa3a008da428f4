import { describedObject } from "../commands/describe.ts";
import { attach } from "../commands/terminal.ts";
import type { CommandContext } from "../context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { discoverTypes } from "../resources/discovery.ts";
import { getObject } from "../resources/objects.ts";
import { patchObject } from "../resources/writes.ts";
import { callAgain } from "../verbs/call-again.ts";
import { targetText } from "./panes.ts";
import type { TopTerminal } from "./terminal.ts";
import type { Page, TopEffect } from "./top-view.ts";

/** What came of an effect: a text to read, a word for the last line, or the end of the view. */
interface Came {
  readonly page?: Page;
  readonly said?: string;
  readonly leaves?: boolean;
}

/** Does what a key asked for. Throws what the command of the same name would. */
export async function runEffect(
  effect: Exclude<TopEffect, { readonly do: "Quit" | "Peek" }>,
  context: CommandContext,
  terminal: TopTerminal,
): Promise<Came> {
  switch (effect.do) {
    case "Describe": {
      const text = await describedObject(context, effect.target);
      const title = `describe ${targetText(effect.target)}`;
      return { page: { title, lines: text.trimEnd().split("\n"), top: 0 } };
    }
    case "Nudge":
      await callAgain(context, "nudge", { agent: effect.agent, text: effect.text });
      return { said: `${effect.agent} reads it at its next prompt` };
    case "Attach": {
      const { code, moved } = await terminal.lend(() => attach(effect.agent, false, context));
      // In a popup of the town's own tmux the session is behind it now.
      return moved && code === EXIT.done ? { leaves: true } : {};
    }
    case "Suspend":
      return { said: await suspended(effect.of, context) };
    default:
      return effect satisfies never;
  }
}

async function suspended(
  of: Extract<TopEffect, { readonly do: "Suspend" }>["of"],
  context: CommandContext,
): Promise<string> {
  const api = context.api();
  const type = (await discoverTypes(api)).find((candidate) => candidate.kind === of.kind);
  if (type === undefined) throw new CliError(EXIT.failed, "NotServed", `this town's daemon does not serve ${of.kind}`);
  const object = await getObject(api, type, { namespace: of.namespace }, of.name);
  const suspend = !of.suspended;
  const fieldManager = suspend ? "town-suspend" : "town-resume";
  await patchObject(api, { type, object }, { patch: { spec: { suspend } }, fieldManager, dryRun: false });
  return `${targetText(of)} ${suspend ? "suspended" : "resumed"}`;
}
