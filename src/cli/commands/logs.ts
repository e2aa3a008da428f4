import { readFile } from "node:fs/promises";
import { isSet, numberFlag, textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { durationMs } from "../duration.ts";
import { CliError, EXIT, usageError } from "../exit-codes.ts";
import { colouredText, plainText } from "../output/terminal-text.ts";
import { discoverTypes, withQuery } from "../resources/discovery.ts";
import { scopeOf } from "../resources/flags.ts";
import { fieldsOf, textOf } from "../resources/object-fields.ts";
import { getObject, type ApiObject, type Scope } from "../resources/objects.ts";
import { selectionsOf } from "../resources/selection.ts";

/**
 * Output of a session: `logs AGENT`, `logs agent/NAME` or `logs session/NAME`, read through the pod that stands for it; of a
 * merge request the log of its last gate.
 */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const object = await speaker(input, context);
  if (object.kind === "MergeRequest") return printGateLog(object, input, context);
  const path = logPath(object, input);
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

/** The controller keeps it on this machine. */
async function printGateLog(request: ApiObject, input: CommandInput, { streams }: CommandContext): Promise<number> {
  const { name } = request.metadata;
  const path = textOf(fieldsOf(request.status)["log"]);
  const text = path === undefined ? undefined : await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined)
    throw new CliError(
      EXIT.notFound,
      "NoLog",
      path === undefined ? `no gate has run for ${name} yet` : `the log of ${name} is no longer at ${path}`,
      `\`town describe mr/${name}\``,
    );
  const tail = numberFlag(input, "tail");
  const lines = text.replace(/\n$/, "").split("\n");
  const shown = tail === undefined || tail < 0 ? lines : lines.slice(lines.length - Math.min(tail, lines.length));
  const clean = streams.outIsTerminal ? colouredText : plainText;
  if (shown.length > 0) streams.out(`${clean(shown.join("\n"))}\n`);
  return EXIT.done;
}

const PRINTING = new Set(["Agent", "Session", "Pod", "MergeRequest"]);

async function speaker(input: CommandInput, context: CommandContext): Promise<ApiObject> {
  const { words, scope } = meant(input);
  const api = context.api();
  const [selection] = selectionsOf(words, await discoverTypes(api, words), { command: "logs", namesRequired: true });
  const name = selection?.names?.[0];
  if (selection === undefined || name === undefined || !PRINTING.has(selection.type.kind)) {
    throw usageError("only agents, sessions and merge requests have output", "`town logs agent/NAME`");
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
