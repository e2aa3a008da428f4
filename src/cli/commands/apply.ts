import type { VerbResult } from "../../resource/verb.ts";
import { isSet, listFlag, textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { EXIT, exitCodeOf, usageError } from "../exit-codes.ts";
import { errorText } from "../error-text.ts";
import { outputFormat } from "../output/object-format.ts";
import { plainText } from "../output/terminal-text.ts";
import { readManifests } from "../resources/documents.ts";
import { optional } from "../resources/object-fields.ts";
import type { ApiObject } from "../resources/objects.ts";
import { dryRunOf } from "../resources/writes.ts";
import { runOffline } from "../offline.ts";
import { callVerb, printResult } from "../verbs/call-verb.ts";

/** What the `apply` verb does with its documents. */
type ApplyMode = "Apply" | "Create" | "Diff";

/** Shape of the verb's `data`: one entry a document, in order. */
export interface ApplyData {
  readonly results?: readonly {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace?: string;
    readonly name: string;
    /** created, configured, unchanged, deleted … */
    readonly result: string;
    /** As it is afterwards; of a deletion the object that its finalizers still hold, or a Status when it is gone. */
    readonly object?: ApiObject;
  }[];
}

export function runApply(input: CommandInput, context: CommandContext): Promise<number> {
  return send("Apply", input, context);
}

export function runCreate(input: CommandInput, context: CommandContext): Promise<number> {
  return send("Create", input, context);
}

/** Exit 0 without differences, 1 with, 2 when the comparison itself failed. */
export async function runDiff(input: CommandInput, context: CommandContext): Promise<number> {
  const [range, ...more] = input.args;
  if (range !== undefined) {
    if (!range.includes("..") || more.length > 0)
      throw usageError(
        `"${[range, ...more].join(" ")}" is no REV1..REV2`,
        "`town diff -f FILE` compares files with the town, `town diff main~1..main` two commits",
      );
    return await runOffline("diff", { range, path: listFlag(input, "filename")[0] }, context);
  }
  try {
    return await send("Diff", input, context);
  } catch (error) {
    context.streams.err(errorText(error));
    return exitCodeOf(error) === EXIT.unreachable ? EXIT.unreachable : EXIT.usage;
  }
}

async function send(mode: ApplyMode, input: CommandInput, context: CommandContext): Promise<number> {
  const documents = await readManifests(listFlag(input, "filename"), isSet(input, "recursive"), context);
  const result = await callVerb(
    context.api(),
    "apply",
    {
      documents,
      mode,
      dryRun: dryRunOf(input),
      ...optional("namespace", textFlag(input, "namespace")),
    },
    { signal: context.signal },
  );
  const results = (result.data as ApplyData | undefined)?.results ?? [];
  printOutcome(result, results, input, context);
  const code = result.exitCode ?? EXIT.done;
  const isUnchanged = results.length > 0 && results.every((entry) => entry.result === "unchanged");
  return code === EXIT.done && isUnchanged && isSet(input, "errorUnchanged") ? EXIT.unchanged : code;
}

/** The verb's words, or with -o the objects it made. */
function printOutcome(
  result: VerbResult,
  results: NonNullable<ApplyData["results"]>,
  input: CommandInput,
  context: CommandContext,
): void {
  const output = textFlag(input, "output");
  if (output === undefined) {
    printResult(result, context.streams);
    return;
  }
  const format = outputFormat(output);
  if (format.as === "Table")
    throw usageError(`-o ${output} is not possible here`, "allowed: name, json, yaml, jsonpath=TEMPLATE");
  const objects = results.map(objectOf);
  const [first] = objects;
  if (objects.length === 1 && first !== undefined) context.streams.out(plainText(format.print(first)));
  else context.streams.out(plainText(format.print({ apiVersion: "v1", kind: "List", metadata: {}, items: objects })));
  printResult({ ...result, text: "" }, context.streams);
}

/** A verb that sends no objects still names them. */
function objectOf({ object, apiVersion, kind, name, namespace }: NonNullable<ApplyData["results"]>[number]): ApiObject {
  return (
    object ?? {
      apiVersion,
      kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) } as ApiObject["metadata"],
    }
  );
}
