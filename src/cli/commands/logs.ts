import { isSet, numberFlag, textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { durationMs } from "../duration.ts";
import { EXIT, usageError } from "../exit-codes.ts";
import { colouredText, plainText } from "../output/terminal-text.ts";
import { discoverTypes, withQuery } from "../resources/discovery.ts";
import { scopeOf } from "../resources/flags.ts";
import { getObject, type ApiObject, type Scope } from "../resources/objects.ts";
import { selectionsOf } from "../resources/selection.ts";

/** Output of a session: `logs AGENT`, `logs agent/NAME` or `logs session/NAME`, read through the pod that stands for it. */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const path = logPath(await sessionOrAgent(input, context), input);
  const clean = context.streams.outIsTerminal ? colouredText : plainText;
  // In whole lines, since an escape sequence cut in two could not be recognised.
  let pending = "";
  const request = { method: "GET", path, accept: "text/plain, */*", signal: context.signal } as const;
  for await (const text of context.api().stream(request)) {
    const whole = pending + text;
    const end = whole.lastIndexOf("\n") + 1;
    context.streams.out(clean(whole.slice(0, end)));
    pending = whole.slice(end);
  }
  if (pending !== "") context.streams.out(`${clean(pending)}\n`);
  return EXIT.done;
}

function logPath({ kind, metadata, spec }: ApiObject, input: CommandInput): string {
  const agent = spec?.["agent"];
  const pod = kind === "Session" && typeof agent === "string" ? agent : metadata.name;
  const since = textFlag(input, "since");
  const place = `/api/v1/namespaces/${encodeURIComponent(metadata.namespace ?? "hq")}/pods/${encodeURIComponent(pod)}/log`;
  return withQuery(place, {
    follow: trueWhen(isSet(input, "follow")),
    tailLines: numberFlag(input, "tail")?.toString(),
    previous: trueWhen(isSet(input, "previous")),
    timestamps: trueWhen(isSet(input, "timestamps")),
    sinceSeconds: since === undefined ? undefined : String(Math.ceil(durationMs(since, "since") / 1000)),
  });
}

function trueWhen(condition: boolean): string | undefined {
  return condition ? "true" : undefined;
}

const PRINTING = new Set(["Agent", "Session", "Pod"]);

async function sessionOrAgent(input: CommandInput, context: CommandContext): Promise<ApiObject> {
  const { words, scope } = meant(input);
  const api = context.api();
  const [selection] = selectionsOf(words, await discoverTypes(api, words), { command: "logs", namesRequired: true });
  const name = selection?.names?.[0];
  if (selection === undefined || name === undefined || !PRINTING.has(selection.type.kind)) {
    throw usageError("only agents and sessions have output", "`town logs agent/NAME`");
  }
  return await getObject(api, selection.type, scope, name);
}

/** `toast`, `agent toast`, `agent/toast`, or an identity as `api/polecats/toast`. */
function meant(input: CommandInput): { readonly words: readonly string[]; readonly scope: Scope } {
  const [first, second, ...more] = input.args;
  if (first === undefined || more.length > 0) {
    throw usageError("you must say whose output", "`town logs AGENT`, `town logs session/NAME`");
  }
  const identity = /^([^/]+)\/[^/]+\/([^/]+)$/.exec(first);
  if (identity !== null) return { words: ["agent", identity[2] ?? ""], scope: { namespace: identity[1] } };
  if (second !== undefined || first.includes("/")) return { words: input.args, scope: scopeOf(input) };
  return { words: ["agent", first], scope: scopeOf(input) };
}
