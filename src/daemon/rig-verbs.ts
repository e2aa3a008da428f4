import { z } from "zod";
import { ApiStatusError } from "../errors/town-error.ts";
import { ABANDON_WORK } from "../kinds/rig/rig.observe.ts";
import type { RigSpec, RigStatus } from "../kinds/rig/rig.schema.ts";
import { readSource, sourceProblem } from "../kinds/rig/rig-source.ts";
import type { CommitWriter } from "../manifests/commit-writer.ts";
import { planWrite } from "../manifests/plan-write.ts";
import type { Repository } from "../ports/git.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Caller } from "../resource/caller.ts";
import { conditionOf, READY } from "../resource/condition.ts";
import type { KindRegistry } from "../resource/kind-registry.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { Verb } from "../resource/verb.ts";
import { argumentsOf } from "../verbs/arguments.ts";
import { rigPrefix, rigSource } from "../work/rig-target.ts";
import { readUnfinishedWork, unfinishedText } from "../work/unfinished-work.ts";
import type { InternalAnswer, InternalCalls } from "./internal-calls.ts";
import { type ProjectFacts, readProjectFacts, suggestionComments } from "./project-facts.ts";

const addArguments = z.strictObject({
  name: z.string().min(1),
  source: z.string().min(1),
  /** Directory that a relative path is meant from. */
  cwd: z.string().startsWith("/").optional(),
  branch: z.string().optional(),
  prefix: z.string().optional(),
  dryRun: z.boolean().default(false),
});
const removeArguments = z.strictObject({ name: z.string().min(1), force: z.boolean().default(false) });

const RIGS = "/apis/town.dev/v1alpha1/rigs";
const READY_WITHIN_MS = 60_000;
const GONE_WITHIN_MS = 120_000;
const POLL_MS = 100;

export interface RigVerbParts {
  readonly registry: KindRegistry;
  readonly store: ObjectStore;
  readonly ports: LoopPorts;
  readonly commits: CommitWriter;
  readonly calls: InternalCalls;
}

/** `town rig add` and `town rig remove`: manifests, written and taken away as commits, and what comes of it. */
export function rigVerbs(parts: RigVerbParts): readonly Verb[] {
  return [addVerb(parts), removeVerb(parts)];
}

function addVerb(parts: RigVerbParts): Verb {
  return {
    name: "rig add",
    summary: "adopt a repository: write and commit its manifest, wait until it is ready",
    needs: "edit",
    async run({ args, caller, signal }) {
      const options = argumentsOf("rig add", addArguments, args);
      const { name, dryRun } = options;
      const found = await inspected(options, parts);
      const body = {
        apiVersion: "town.dev/v1alpha1",
        kind: "Rig",
        metadata: { name },
        spec: {
          ...found.place,
          ...(found.branch === undefined ? {} : { branch: found.branch }),
          ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
        },
      };
      requireFreePrefix(name, rigPrefix(name, body.spec), parts.store);
      const admitted = must(await parts.calls.send(caller, "POST", `${RIGS}?dryRun=All&fieldValidation=Strict`, body));
      const written = await writeManifest(
        body,
        admitted as unknown as TownObject,
        { caller, dryRun },
        found.facts,
        parts,
      );
      if (dryRun) return { text: `# ${written.path}\n${written.text}`.trimEnd(), data: { path: written.path } };
      const rig = await readyRig(name, parts, signal);
      const beads = await foreignBeads(found, parts);
      return { text: addedText(rig, written.path, found, beads), data: { path: written.path, status: rig.status } };
    },
  };
}

interface Inspected {
  readonly place: { readonly path: string } | { readonly url: string };
  /** To be stated, where the repository itself does not make it plain. */
  readonly branch: string | undefined;
  readonly facts: ProjectFacts | undefined;
}

/** Looks at what is to be adopted before anything is written. Throws ApiStatusError with the fix. */
async function inspected(options: z.infer<typeof addArguments>, { ports }: RigVerbParts): Promise<Inspected> {
  const { source, branch } = options;
  if (isUrl(source)) return { place: { url: source }, branch, facts: undefined };
  if (!source.startsWith("/") && options.cwd === undefined)
    throw new ApiStatusError(400, "BadRequest", `town rig add: '${source}' must be an absolute path or a URL`, {
      hint: `town rig add ${options.name} /absolute/path`,
    });
  const path = rigSource({ path: source }, options.cwd ?? "/");
  const found = await readSource(path, false, ports);
  const problem = sourceProblem(path, found, ports.layout.clone(options.name));
  if (problem !== undefined) throw new ApiStatusError(422, problem.reason, problem.message);
  if (found.state !== "Found") return { place: { path }, branch, facts: undefined };
  const { repository } = found;
  const target = branch ?? (await mainBranch(repository));
  if (branch !== undefined && (await repository.resolve(`refs/heads/${branch}`)) === undefined)
    throw new ApiStatusError(422, "NoTargetBranch", `${path} has no branch '${branch}'`, {
      hint: `git -C ${path} branch --list`,
    });
  const checkedOut = (await repository.headBranch())?.replace("refs/heads/", "");
  return {
    place: { path },
    // What happens to be checked out while a rig is adopted is no reason to merge there for ever.
    branch: branch ?? (target === checkedOut ? undefined : target),
    facts: target === undefined ? undefined : await readProjectFacts(repository, `refs/heads/${target}`),
  };
}

/** The branch a repository is about: its remote's default, else main or master, else the one checked out. */
async function mainBranch(repository: Repository): Promise<string | undefined> {
  const remote = await repository.resolve("refs/remotes/origin/HEAD");
  const candidates = [remote === undefined ? undefined : await repository.defaultBranch(), "main", "master"];
  for (const name of candidates)
    if (name !== undefined && (await repository.resolve(`refs/heads/${name}`)) !== undefined) return name;
  return (await repository.headBranch())?.replace("refs/heads/", "");
}

/** As git tells them apart: a scheme, or `host:path`. */
export function isUrl(source: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/|^[^/]+:(?!\/\/)/.test(source);
}

function requireFreePrefix(name: string, prefix: string, store: ObjectStore): void {
  const other = (store.list("Rig") as readonly TownObject<RigSpec>[]).find(
    (rig) => rig.metadata.name !== name && rigPrefix(rig.metadata.name, rig.spec) === prefix,
  );
  if (other === undefined && prefix !== "hq") return;
  throw new ApiStatusError(
    409,
    "PrefixTaken",
    `beads of ${other?.metadata.name ?? "the town"} are called ${prefix}-… already`,
    {
      hint: `town rig add ${name} … --prefix OTHER`,
    },
  );
}

function must(answer: InternalAnswer): InternalAnswer["body"] {
  if (answer.status < 400) return answer.body;
  const { reason, message } = answer.body;
  throw new ApiStatusError(answer.status, typeof reason === "string" ? reason : "Failed", String(message));
}

/** The document as the API would write it, with what was found out as comments below it. */
async function writeManifest(
  stated: Readonly<Record<string, unknown>>,
  after: TownObject,
  by: { readonly caller: Caller; readonly dryRun: boolean },
  facts: ProjectFacts | undefined,
  { commits }: RigVerbParts,
): Promise<{ readonly path: string; readonly text: string }> {
  const key = { kind: "Rig", name: after.metadata.name };
  const change = { ...by, key, before: undefined, after, stated };
  let written = { path: "", text: "" };
  await commits.submit({
    ...by,
    key,
    summary: () => change,
    async plan(draft, context) {
      const planned = await planWrite(change, draft, context);
      if (planned === undefined || planned.text === null) return planned;
      written = { path: planned.path, text: planned.text + (facts === undefined ? "" : suggestionComments(facts)) };
      return { ...planned, text: written.text };
    },
  });
  return written;
}

async function readyRig(
  name: string,
  { store, ports }: RigVerbParts,
  signal: AbortSignal,
): Promise<TownObject<RigSpec, RigStatus>> {
  const deadline = ports.clock.monotonicMs() + READY_WITHIN_MS;
  for (;;) {
    const rig = store.get({ kind: "Rig", name }) as TownObject<RigSpec, RigStatus> | undefined;
    const ready = rig === undefined ? undefined : conditionOf(rig, READY);
    if (rig !== undefined && ready?.status === "True" && rig.status?.observedGeneration === rig.metadata.generation)
      return rig;
    if (signal.aborted || ports.clock.monotonicMs() >= deadline)
      throw new ApiStatusError(
        504,
        "Timeout",
        `rig ${name} is declared and not ready yet: ${ready?.message ?? "its loop has not seen it"}`,
        {
          hint: `town wait rig/${name} --for=condition=Ready, or take it back: town undo rig/${name}`,
        },
      );
    await ports.clock.sleep(POLL_MS, signal);
  }
}

/** Where another bd keeps its beads in a checkout. */
async function foreignBeads({ place }: Inspected, { ports }: RigVerbParts): Promise<string | undefined> {
  if (!("path" in place)) return undefined;
  const directory = `${place.path}/.beads`;
  return (await ports.files.stat(`${directory}/issues.jsonl`)) === undefined ? undefined : directory;
}

function addedText(
  rig: TownObject<RigSpec, RigStatus>,
  path: string,
  { facts }: Inspected,
  beads: string | undefined,
): string {
  const { name } = rig.metadata;
  const gates = facts?.gates ?? [];
  return [
    `rig.town.dev/${name} added`,
    `  manifest  ${path}`,
    `  branch    ${rig.status?.branch ?? "<none>"} at ${(rig.status?.head ?? "").slice(0, 12)}`,
    `  beads     ${rig.status?.prefix ?? ""}-… (${rig.status?.beads ?? 0} there)`,
    ...(gates.length === 0
      ? []
      : [`  found     ${gates.map(({ command }) => command).join(", ")} (as comments in the manifest)`]),
    "",
    gates.length === 0 && rig.spec.merge.gates.length === 0
      ? `Nothing tests what is merged yet: state gates in ${path} (town explain rig.spec.merge).`
      : `Nothing tests what is merged until gates are uncommented in ${path}.`,
    ...(beads === undefined
      ? []
      : [`Beads of another bd are in it; take them in with: town bd import ${beads} --rig ${name}`]),
    `Give it workers: an AgentPool in namespace ${name} (town explain agentpool).`,
  ].join("\n");
}

function removeVerb(parts: RigVerbParts): Verb {
  return {
    name: "rig remove",
    summary: "let a repository go, as it was before its adoption",
    needs: "edit",
    async run({ args, caller, signal }) {
      const { name, force } = argumentsOf("rig remove", removeArguments, args);
      const { store, ports, calls } = parts;
      const key = { kind: "Rig", name };
      const rig = store.get(key) as TownObject<RigSpec> | undefined;
      if (rig === undefined)
        throw new ApiStatusError(404, "NotFound", `there is no rig "${name}"`, { hint: "town get rigs" });
      const clone = await ports.git.open(ports.layout.clone(name));
      const unfinished = unfinishedText(await readUnfinishedWork(rig, ports.graphs.graph(name), clone));
      if (unfinished !== undefined && !force)
        throw new ApiStatusError(409, "UnfinishedWork", `rig ${name} has unfinished work: ${unfinished}`, {
          hint: `let it end, or leave it behind: town rig remove ${name} --force`,
        });
      if (force)
        must(
          await calls.send(caller, "PATCH", `${RIGS}/${name}`, {
            metadata: { annotations: { [ABANDON_WORK]: new Date(ports.clock.now()).toISOString() } },
          }),
        );
      const removed = await deleteDeclared(name, caller, parts);
      await gone(name, parts, signal);
      const left = unfinished === undefined ? [] : [`  left      ${unfinished}`];
      return {
        text: [
          `rig.town.dev/${name} removed`,
          ...removed.map((path) => `  deleted   ${path}`),
          ...left,
          `  kept      its clone with the work graph, below ${ports.layout.state}/rigs/removed; \`town rig add ${name} …\` takes it back`,
        ].join("\n"),
        data: { name, deleted: removed },
      };
    },
  };
}

/** Deletes the rig and everything that is declared in its namespace; they share a commit. */
async function deleteDeclared(
  name: string,
  caller: Caller,
  { registry, store, calls }: RigVerbParts,
): Promise<readonly string[]> {
  const inside = registry.kinds
    .filter((definition) => definition.truth === "Desired" && definition.scope === "Namespaced")
    .flatMap((definition) =>
      store.list(definition.kind, { namespace: name }).map((object) => ({
        label: `${definition.singular}/${object.metadata.name}`,
        path: `/apis/${definition.group}/${definition.version}/namespaces/${name}/${definition.plural}/${object.metadata.name}`,
      })),
    );
  const all = [...inside, { label: `rig/${name}`, path: `${RIGS}/${name}` }];
  const answers = await Promise.all(all.map(({ path }) => calls.send(caller, "DELETE", path)));
  for (const answer of answers) if (answer.status !== 404) must(answer);
  return all.map(({ label }) => label);
}

async function gone(name: string, { store, ports }: RigVerbParts, signal: AbortSignal): Promise<void> {
  const deadline = ports.clock.monotonicMs() + GONE_WITHIN_MS;
  for (;;) {
    const rig = store.get({ kind: "Rig", name });
    if (rig === undefined) return;
    if (signal.aborted || ports.clock.monotonicMs() >= deadline)
      throw new ApiStatusError(
        504,
        "Timeout",
        `rig ${name} is deleted and still ends: ${conditionOf(rig, READY)?.message ?? "its loop has not seen it"}`,
        {
          hint: `town get rig ${name} shows when it is gone`,
        },
      );
    await ports.clock.sleep(POLL_MS, signal);
  }
}
