import { isSet, numberFlag, textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { CliError, EXIT, usageError } from "../exit-codes.ts";
import { labelsText } from "../resources/server-table.ts";
import type { ApiObject } from "../resources/objects.ts";
import { dryRunOf, findObjects, patchObject, reportWrite, type Found, type PatchType } from "../resources/writes.ts";

type Pairs = Readonly<Record<string, string | null>>;

/** One change of one object: what to send, and the words for what came of it. */
interface Change {
  readonly fieldManager: string;
  /** Undefined: nothing is to be sent for this object. */
  readonly patch: (found: Found) => unknown;
  readonly type?: PatchType;
  readonly subresource?: string;
  readonly done: string;
  readonly unchanged: string;
}

/** Changes every object found and reports each; exit 3 when nothing changed and --error-unchanged asks for it. */
async function change(
  targets: readonly Found[],
  { fieldManager, type, subresource, done, unchanged, patch }: Change,
  input: CommandInput,
  context: CommandContext,
): Promise<number> {
  if (targets.length === 0) context.streams.err("No resources found\n");
  const dryRun = dryRunOf(input);
  let changed = 0;
  for (const found of targets) {
    const body = patch(found);
    const after =
      body === undefined
        ? found.object
        : await patchObject(context.api(), found, {
            patch: body,
            fieldManager,
            dryRun,
            ...(type === undefined ? {} : { type }),
            ...(subresource === undefined ? {} : { subresource }),
          });
    const isChanged =
      body !== undefined && (dryRun || after.metadata.resourceVersion !== found.object.metadata.resourceVersion);
    if (isChanged) changed += 1;
    reportWrite(context, input, { type: found.type, object: after }, isChanged ? done : unchanged);
  }
  return changed === 0 && isSet(input, "errorUnchanged") ? EXIT.unchanged : EXIT.done;
}

export function runLabel(input: CommandInput, context: CommandContext): Promise<number> {
  return changePairs("label", "labels", "labeled", input, context);
}

export function runAnnotate(input: CommandInput, context: CommandContext): Promise<number> {
  return changePairs("annotate", "annotations", "annotated", input, context);
}

async function changePairs(
  command: string,
  field: "labels" | "annotations",
  done: string,
  input: CommandInput,
  context: CommandContext,
): Promise<number> {
  const first = input.args.findIndex((argument) => /^[^=]+=|^[^=]+-$/s.test(argument));
  const isList = isSet(input, "list");
  const names = first === -1 ? input.args : input.args.slice(0, first);
  const pairs = first === -1 ? {} : pairsOf(input.args.slice(first), command);
  if (Object.keys(pairs).length === 0 && !isList)
    throw usageError(
      `at least one change is required`,
      `\`town ${command} TYPE NAME key=value\`, or key- to remove it`,
    );
  const targets = await findObjects(context.api(), input, command, names);
  if (isList) {
    for (const { object } of targets)
      context.streams.out(`${object.metadata.name} ${labelsText(object.metadata[field])}\n`);
    return EXIT.done;
  }
  if (!isSet(input, "overwrite")) for (const target of targets) refuseOverwrite(target.object, field, pairs);
  return await change(
    targets,
    {
      fieldManager: `town-${command}`,
      patch: () => ({ metadata: { [field]: pairs } }),
      done,
      unchanged: `not ${done}`,
    },
    input,
    context,
  );
}

function pairsOf(words: readonly string[], command: string): Pairs {
  const pairs: Record<string, string | null> = {};
  for (const word of words) {
    const set = /^([^=]+)=(.*)$/s.exec(word);
    const removed = /^([^=]+)-$/s.exec(word);
    if (set !== null) pairs[set[1] ?? ""] = set[2] ?? "";
    else if (removed !== null) pairs[removed[1] ?? ""] = null;
    else throw usageError(`"${word}" is neither key=value nor key-`, `\`town ${command} TYPE NAME... key=value...\``);
  }
  return pairs;
}

function refuseOverwrite({ metadata }: ApiObject, field: "labels" | "annotations", pairs: Pairs): void {
  for (const [key, value] of Object.entries(pairs)) {
    const before = metadata[field]?.[key];
    if (value !== null && before !== undefined && before !== value) {
      throw new CliError(
        EXIT.conflict,
        "ValueExists",
        `${metadata.name}: '${key}' already has a value (${before}), and --overwrite is not set`,
        "add --overwrite to replace it",
      );
    }
  }
}

export async function runPatch(input: CommandInput, context: CommandContext): Promise<number> {
  const text = textFlag(input, "patch");
  if (text === undefined) throw usageError("must specify -p PATCH", `as -p '{"spec":{"replicas":3}}'`);
  const patch = jsonOf(text);
  const type = textFlag(input, "type") === "json" ? "json" : "merge";
  if ((type === "json") !== Array.isArray(patch))
    throw usageError(
      type === "json" ? "--type json takes a list of operations" : "a merge patch is an object",
      `--type merge takes {"spec":…}, --type json takes [{"op":"replace","path":"/spec/replicas","value":3}]`,
    );
  const subresource = textFlag(input, "subresource");
  const targets = await findObjects(context.api(), input, "patch");
  return await change(
    targets,
    {
      fieldManager: "town-patch",
      patch: () => patch,
      type,
      done: "patched",
      unchanged: "patched (no change)",
      ...(subresource === undefined ? {} : { subresource }),
    },
    input,
    context,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw usageError(
      `-p: the patch is no JSON: ${(error as Error).message}`,
      "quote it for the shell: -p '{\"spec\":{…}}'",
    );
  }
}

/** Sends a Scale; the object's version guards --current-replicas against a change in between. */
export async function runScale(input: CommandInput, context: CommandContext): Promise<number> {
  const replicas = numberFlag(input, "replicas");
  if (replicas === undefined || !Number.isInteger(replicas) || replicas < 0)
    throw usageError("--replicas=COUNT is required, 0 or more");
  const expected = numberFlag(input, "currentReplicas");
  const targets = await findObjects(context.api(), input, "scale");
  const patch = ({ type, object }: Found): unknown => {
    if (!type.subresources.includes("scale")) throw usageError(`${type.plural} cannot be scaled`);
    const current = object.spec?.["replicas"];
    if (expected !== undefined && current !== expected)
      throw new CliError(
        EXIT.conflict,
        "ReplicasDiffer",
        `${object.metadata.name} has ${String(current)} replicas, not ${expected}`,
      );
    return {
      ...(expected === undefined ? {} : { metadata: { resourceVersion: object.metadata.resourceVersion } }),
      spec: { replicas },
    };
  };
  return await change(
    targets,
    { fieldManager: "town-scale", patch, subresource: "scale", done: "scaled", unchanged: "scaled (no change)" },
    input,
    context,
  );
}

export function runSuspend(input: CommandInput, context: CommandContext): Promise<number> {
  return setSuspend(true, "suspend", "suspended", input, context);
}

export function runResume(input: CommandInput, context: CommandContext): Promise<number> {
  return setSuspend(false, "resume", "resumed", input, context);
}

/** Without arguments the town as a whole. */
async function setSuspend(
  suspend: boolean,
  command: string,
  done: string,
  input: CommandInput,
  context: CommandContext,
): Promise<number> {
  const targets = await findObjects(context.api(), input, command, input.args.length === 0 ? ["towns/hq"] : input.args);
  const patch = ({ object }: Found): unknown =>
    (object.spec?.["suspend"] ?? false) === suspend ? undefined : { spec: { suspend } };
  return await change(
    targets,
    { fieldManager: `town-${command}`, patch, done, unchanged: `${done} (no change)` },
    input,
    context,
  );
}

const RECONCILE_REQUESTED = "runtime.town.dev/reconcile-requested-at";
const ALLOW_PRUNE = "runtime.town.dev/allow-prune";
const APPROVE = "runtime.town.dev/approve";

/** Pokes the loops of the objects, without arguments the town's own: they look at everything again at once. */
export async function runReconcile(input: CommandInput, context: CommandContext): Promise<number> {
  const allowed = textFlag(input, "allowPrune");
  const approved = textFlag(input, "approve");
  const annotations = {
    [RECONCILE_REQUESTED]: new Date(context.now()).toISOString(),
    ...(allowed === undefined ? {} : { [ALLOW_PRUNE]: requireRevision("allow-prune", allowed) }),
    ...(approved === undefined ? {} : { [APPROVE]: requireRevision("approve", approved) }),
  };
  const targets = await findObjects(
    context.api(),
    input,
    "reconcile",
    input.args.length === 0 ? ["towns/hq"] : input.args,
  );
  return await change(
    targets,
    {
      fieldManager: "town-reconcile",
      patch: () => ({ metadata: { annotations } }),
      done: "reconcile requested",
      unchanged: "reconcile requested",
    },
    input,
    context,
  );
}

/** The revision as it is shown, or a commit id of 7 or more characters: a branch name would allow what nobody looked at. */
function requireRevision(flag: string, text: string): string {
  if (/^(?:\S+:)?[0-9a-f]{7,64}$/.test(text) || text === "worktree") return text;
  throw usageError(
    `--${flag} takes a revision, not "${text}"`,
    `\`town status\` shows it, as in --${flag}=1a2b3c4d5e6f`,
  );
}
