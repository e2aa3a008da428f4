import { CommitWriter, type CommitWriterOptions } from "../../src/manifests/commit-writer.ts";
import { loadFile } from "../../src/manifests/load-file.ts";
import { readSourceAtCommit } from "../../src/manifests/read-source.ts";
import { specWithDefaults } from "../../src/manifests/spec-check.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Files } from "../../src/ports/files.ts";
import type { Git, Repository } from "../../src/ports/git.ts";
import { silentLog } from "../../src/ports/log.ts";
import type { DesiredOrigin, TruthWrite } from "../../src/ports/object-store.ts";
import type { Caller } from "../../src/resource/caller.ts";
import { keyText } from "../../src/resource/object-meta.ts";
import type { ObjectKey, TownObject } from "../../src/resource/object-meta.ts";
import { SAMPLE_KINDS } from "./sample-kinds.ts";

export const ADA: Caller = { name: "Ada", email: "ada@example.com", role: "admin" };
export const BOB: Caller = { name: "Bob", email: "bob@example.com", role: "edit" };
export const MAIN = "refs/heads/main";
const IDENTITY = { name: "User", email: "user@example.com", timeMs: 1_700_000_000_000 };

/** A town repository with hands to change it as a user and as the API does. */
export interface WriterSite {
  readonly git: Git;
  readonly repository: Repository;
  readonly root: string;
  readonly files: Files;
  writer(overrides?: Partial<CommitWriterOptions>): CommitWriter;
  /** Saves files (null removes) and commits everything, as a person with git does. */
  commit(files: Readonly<Record<string, string | null>>): Promise<string>;
  save(path: string, text: string | null): Promise<void>;
  read(path: string): Promise<string | undefined>;
  /** Text of a file at the tip of main. */
  tip(path: string): Promise<string | undefined>;
}

export interface SiteParts {
  readonly git: Git;
  readonly files: Files;
  readonly clock: Clock;
  readonly root: string;
  readonly bare?: boolean;
}

export async function writerSite({ git, files, clock, root, bare = false }: SiteParts): Promise<WriterSite> {
  const repository = await git.init(root, { bare, branch: "main" });
  const save = async (path: string, text: string | null): Promise<void> => {
    const full = `${root}/${path}`;
    if (text === null) return files.remove(full);
    await files.makeDirectory(full.slice(0, full.lastIndexOf("/")));
    await files.writeAtomic(full, text);
  };
  return {
    git,
    repository,
    root,
    files,
    writer: (overrides = {}) =>
      new CommitWriter({
        repository,
        files,
        clock,
        log: silentLog,
        kinds: SAMPLE_KINDS,
        target: async () => ({ branch: MAIN, directory: "manifests" }),
        locals: async () => new Map([["slots", 3]]),
        originOf: () => undefined,
        committed: async () => {},
        ...overrides,
      }),
    async commit(changes) {
      for (const [path, text] of Object.entries(changes)) await save(path, text);
      const made = await repository.commitAll(root, "by hand", IDENTITY, IDENTITY);
      if (made === undefined) throw new Error("nothing to commit");
      return made;
    },
    save,
    read: (path) => files.readText(`${root}/${path}`),
    async tip(path) {
      const listed = await repository.listFiles(MAIN, "");
      const id = listed.find((file) => file.path === path)?.id;
      return id === undefined ? undefined : repository.objects.readBlob(id);
    },
  };
}

/** The object as the API shows it after a sync of main. */
export async function live(site: WriterSite, key: ObjectKey): Promise<TownObject> {
  const loaded = await readSourceAtCommit(site.repository, MAIN, {
    kinds: SAMPLE_KINDS,
    locals: new Map([["slots", 3]]),
  });
  const object = loaded.objects.find((each) => keyText(each.key) === keyText(key));
  if (object === undefined) throw new Error(`no ${keyText(key)}: ${JSON.stringify(loaded.problems)}`);
  return envelope(key, object.labels, object.annotations, object.spec);
}

function envelope(
  key: ObjectKey,
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
  spec: TownObject["spec"],
): TownObject {
  const { kind, ...names } = key;
  return {
    apiVersion: "town.dev/v1alpha1",
    kind,
    metadata: {
      ...names,
      uid: `uid-${key.name}`,
      resourceVersion: "7",
      generation: 1,
      creationTimestamp: "2030-01-01T00:00:00Z",
      labels,
      annotations,
    },
    spec,
  };
}

export const pool = (name: string, namespace = "api"): ObjectKey => ({ kind: "AgentPool", namespace, name });

/** A change of spec fields (undefined removes) as a PATCH makes it. */
export async function edit(
  site: WriterSite,
  key: ObjectKey,
  fields: Readonly<Record<string, unknown>>,
  caller: Caller = ADA,
): Promise<TruthWrite> {
  const before = await live(site, key);
  return editFrom(before, key, fields, caller);
}

export function editFrom(
  before: TownObject,
  key: ObjectKey,
  fields: Readonly<Record<string, unknown>>,
  caller: Caller = ADA,
): TruthWrite {
  const stated = Object.fromEntries(
    Object.entries({ ...before.spec, ...fields }).filter(([, value]) => value !== undefined),
  );
  const spec = specWithDefaults(SAMPLE_KINDS.find((kind) => kind.kind === key.kind) ?? SAMPLE_KINDS[0]!, stated);
  if (spec === undefined) throw new Error("not a valid spec");
  return { caller, key, before, after: { ...before, spec }, dryRun: false };
}

/** A create from a manifest, as `apply -f` sends it. */
export function creation(text: string, caller: Caller = ADA): TruthWrite {
  const [object] = loadFile("x.yaml", text, { kinds: SAMPLE_KINDS, locals: new Map() }).objects;
  if (object === undefined) throw new Error("not a valid manifest");
  const after = envelope(object.key, object.labels, object.annotations, object.spec);
  return {
    caller,
    key: object.key,
    before: undefined,
    after,
    stated: object.stated as unknown as Readonly<Record<string, unknown>>,
    dryRun: false,
  };
}

export async function deletion(site: WriterSite, key: ObjectKey, caller: Caller = ADA): Promise<TruthWrite> {
  return { caller, key, before: await live(site, key), after: undefined, dryRun: false };
}

export function readOnlyOrigin(path: string): DesiredOrigin {
  return { source: "shared", path, line: 3, revision: "abc", readOnly: true };
}
