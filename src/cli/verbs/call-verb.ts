import type { VerbResult } from "../../resource/verb.ts";
import type { Api } from "../connection/api.ts";
import { bodyOf } from "../connection/api-status.ts";
import type { CommandContext, Streams } from "../context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { colouredText, plainText } from "../output/terminal-text.ts";
import { yamlText } from "../output/yaml.ts";

const VERBS_PATH = "/apis/work.town.dev/v1alpha1/verbs";

interface VerbList {
  readonly items?: readonly ({ readonly name: string; readonly summary?: string } | string)[];
}

/** Calls a verb of the daemon. Throws ApiStatusError as the verb answers, CliError when this daemon does not serve it. */
export async function callVerb(
  api: Api,
  name: string,
  args: Readonly<Record<string, unknown>>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<VerbResult> {
  const answer = await api.send({
    method: "POST",
    path: `${VERBS_PATH}/${encodeURIComponent(name)}`,
    body: JSON.stringify({ args }),
    ...options,
  });
  if (answer.status === 404 && !(await servedVerbs(api)).includes(name)) {
    throw new CliError(
      EXIT.failed,
      "VerbNotServed",
      `this town's daemon does not serve \`${name}\``,
      "it is of another version, or the loop behind it is disabled; `town version` shows both versions",
    );
  }
  return bodyOf<VerbResult>(answer);
}

/** Names of the verbs that the daemon serves. */
export async function servedVerbs(api: Api): Promise<readonly string[]> {
  const answer = await api.send({ method: "GET", path: VERBS_PATH });
  if (answer.status >= 400) return [];
  const list = JSON.parse(answer.text) as VerbList;
  return (list.items ?? []).map((item) => (typeof item === "string" ? item : item.name));
}

/** Prints a verb's answer and returns its exit code. `format`: `json` or `yaml` print `data`. */
export function printResult(
  result: VerbResult,
  streams: Streams,
  options: { readonly format?: string | undefined; readonly keepColours?: boolean } = {},
): number {
  const clean = options.keepColours === true && streams.outIsTerminal ? colouredText : plainText;
  if (options.format === "json") streams.out(`${JSON.stringify(result.data ?? { text: result.text }, undefined, 2)}\n`);
  else if (options.format === "yaml") streams.out(yamlText(result.data ?? { text: result.text }));
  else if (result.text !== "") streams.out(withNewline(clean(result.text)));
  if (result.errorText !== undefined && result.errorText !== "") streams.err(withNewline(plainText(result.errorText)));
  return result.exitCode ?? EXIT.done;
}

/**
 * Says that the answer was printed, where the daemon waits for that. A failure is nobody's trouble here: what was handed
 * over comes again, marked.
 */
export async function giveReceipt(context: CommandContext, { receipt }: VerbResult): Promise<void> {
  if (receipt === undefined) return;
  await callVerb(context.api(), "receipt", receipt, { signal: context.signal }).catch(() => undefined);
}

function withNewline(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}
