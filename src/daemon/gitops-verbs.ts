import { z } from "zod";
import { ApiStatusError } from "../errors/town-error.ts";
import { exportManifests } from "../manifests/export.ts";
import { objectHistory } from "../manifests/object-history.ts";
import { ParseCache } from "../manifests/parse-cache.ts";
import { undoRequest } from "../manifests/undo.ts";
import type { Repository } from "../ports/git.ts";
import type { DesiredOrigin, ObjectStore } from "../ports/object-store.ts";
import { BUILTIN_SOURCE, TOWN_SOURCE } from "../resource/desired-origin.ts";
import { conditionsOf } from "../resource/condition.ts";
import { humanDuration } from "../resource/human-duration.ts";
import type { KindRegistry } from "../resource/kind-registry.ts";
import { keyOf as keyOfObject, keyText, type ObjectKey } from "../resource/object-meta.ts";
import type { Verb } from "../resource/verb.ts";
import { argumentsOf } from "../verbs/arguments.ts";
import type { DesiredState } from "../sync/desired-state.ts";

const target = { kind: z.string(), name: z.string(), namespace: z.string().optional() };
const historyArguments = z.strictObject({ ...target, limit: z.int().min(1).max(1_000).default(20) });
const undoArguments = z.strictObject({ ...target, to: z.string().optional(), dryRun: z.boolean().default(false) });
const objectArguments = z.strictObject(target);
const exportArguments = z.strictObject({
  kinds: z.array(z.string()).optional(),
  names: z.array(z.string()).optional(),
  namespace: z.string().optional(),
});

export interface GitopsParts {
  readonly registry: KindRegistry;
  readonly store: ObjectStore;
  readonly repository: Repository;
  readonly desired: Pick<DesiredState, "commits" | "reading" | "locals">;
  readonly now: () => number;
}

/** What git knows of objects: `history`, `undo`, `trace`, `export`; and `why`, the last decision about one. */
export function gitopsVerbs(parts: GitopsParts): readonly Verb[] {
  return [historyVerb(parts), undoVerb(parts), traceVerb(parts), exportVerb(parts), whyVerb(parts)];
}

function keyOf(args: {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string | undefined;
}): ObjectKey {
  return args.namespace === undefined
    ? { kind: args.kind, name: args.name }
    : { kind: args.kind, namespace: args.namespace, name: args.name };
}

function requireDesired(key: ObjectKey, registry: KindRegistry): void {
  if (registry.get(key.kind)?.truth === "Desired") return;
  throw new ApiStatusError(400, "BadRequest", `${key.kind} objects are not declared in git`, {
    hint: key.kind === "Bead" ? `bd show ${key.name}` : `town describe ${key.kind.toLowerCase()}/${key.name}`,
  });
}

function historyVerb({ registry, repository, desired }: GitopsParts): Verb {
  return {
    name: "history",
    summary: "the commits that changed an object",
    needs: "view",
    async run({ args }) {
      const options = argumentsOf("history", historyArguments, args);
      const key = keyOf(options);
      requireDesired(key, registry);
      const { branch, directory } = await desired.reading();
      const from = await repository.resolve(branch);
      if (from === undefined)
        throw new ApiStatusError(409, "Conflict", `the town repository has no branch ${branch}`, {
          hint: "commit the manifests on it; `town describe town/hq` says what it follows",
        });
      const { entries, complete } = await objectHistory(key, {
        objects: repository.objects,
        from,
        directory,
        context: { kinds: registry.kinds, locals: await desired.locals() },
        cache: new ParseCache(),
        limit: options.limit,
      });
      if (entries.length === 0)
        throw new ApiStatusError(404, "NotFound", `no commit of ${branch} declares ${keyText(key)}`, {
          hint: `where it comes from: town trace ${key.kind.toLowerCase()}/${key.name}`,
        });
      const rows = entries.map(
        (entry) =>
          `${entry.commit.slice(0, 12)}  ${new Date(entry.author.timeMs ?? 0).toISOString().slice(0, 16).replace("T", " ")}  ${entry.change.padEnd(7)}  ${entry.author.name}  ${entry.subject}`,
      );
      return {
        text: [...rows, ...(complete ? [] : ["(older commits were not looked at)"])].join("\n"),
        data: entries.map(({ commit, author, subject, change, path }) => ({
          commit,
          author: author.name,
          email: author.email,
          timeMs: author.timeMs,
          subject,
          change,
          path,
        })),
      };
    },
  };
}

function undoVerb({ registry, repository, desired }: GitopsParts): Verb {
  return {
    name: "undo",
    summary: "write the former document of an object as a new commit",
    needs: "edit",
    async run({ args, caller }) {
      const options = argumentsOf("undo", undoArguments, args);
      const key = keyOf(options);
      requireDesired(key, registry);
      const to = options.to === undefined ? undefined : await repository.resolve(options.to);
      if (options.to !== undefined && to === undefined)
        throw new ApiStatusError(404, "NotFound", `the town repository has no revision '${options.to}'`, {
          hint: `town history ${key.kind.toLowerCase()}/${key.name}`,
        });
      const request = undoRequest({
        objects: repository.objects,
        key,
        caller,
        dryRun: options.dryRun,
        ...(to === undefined ? {} : { to }),
      });
      const commit = await desired.commits.submit(request);
      const what = request.undone();
      const subject = what === undefined ? `as at ${options.to ?? ""}` : `undone: ${what.subject}`;
      if (options.dryRun) return { text: `${keyText(key)} ${subject} (dry run)` };
      return commit === undefined
        ? { text: `${keyText(key)} unchanged` }
        : { text: `${keyText(key)} ${subject} (${commit.slice(0, 12)})`, data: { commit } };
    },
  };
}

function traceVerb({ registry, store }: GitopsParts): Verb {
  return {
    name: "trace",
    summary: "where an object comes from: repository, file, line, commit",
    needs: "view",
    run({ args }) {
      const key = keyOf(argumentsOf("trace", objectArguments, args));
      const object = store.get(key);
      if (object === undefined) throw notFound(key);
      const origin = store.originOf(key);
      const truth = registry.get(key.kind)?.truth ?? "Desired";
      const lines = [keyText(key)];
      if (origin !== undefined) lines.push(...originLines(origin));
      else if (truth === "Work") lines.push(`  the work graph of ${key.namespace ?? "hq"}, branch town/work`);
      else if (truth === "Observed") lines.push("  observed: nothing stores it");
      for (const owner of object.metadata.ownerReferences ?? []) lines.push(`  owner     ${owner.kind}/${owner.name}`);
      return Promise.resolve({
        text: lines.join("\n"),
        data: { origin: origin ?? null, truth, owners: object.metadata.ownerReferences ?? [] },
      });
    },
  };
}

function originLines(origin: DesiredOrigin): readonly string[] {
  const { source, repository, path, line, revision } = origin;
  if (source === BUILTIN_SOURCE)
    return [
      "  source    builtin: it comes with the program",
      ...(path === "" ? [] : [`  file      ${path}:${line}`]),
      "  change it, and the town gets a manifest of its own that overrides it",
    ];
  return [
    `  source    ${source}`,
    ...(repository === undefined ? [] : [`  from      ${repository}`]),
    `  file      ${path}:${line}`,
    `  revision  ${revision}`,
    ...(origin.readOnly === true ? ["  read-only here: change it there"] : []),
  ];
}

function exportVerb({ registry, store }: GitopsParts): Verb {
  return {
    name: "export",
    summary: "objects as manifests, ready to commit",
    needs: "view",
    run({ args }) {
      const { kinds, names, namespace } = argumentsOf("export", exportArguments, args);
      for (const kind of kinds ?? []) requireDesired({ kind, name: names?.[0] ?? "" }, registry);
      const desired = registry.kinds.filter(
        ({ truth, kind }) => truth === "Desired" && (kinds?.includes(kind) ?? true),
      );
      const objects = desired
        .flatMap(({ kind }) => store.list(kind, namespace === undefined ? {} : { namespace }))
        .filter(({ metadata }) => names?.includes(metadata.name) ?? true)
        // Without a kind: what the town itself declares.
        .filter((object) => kinds !== undefined || store.originOf(keyOfObject(object))?.source === TOWN_SOURCE);
      const missing = names?.find((name) => !objects.some(({ metadata }) => metadata.name === name));
      if (missing !== undefined)
        throw new ApiStatusError(404, "NotFound", `${kinds?.join(" or ") ?? "object"} "${missing}" not found`, {
          hint: `town get ${kinds?.map((kind) => kind.toLowerCase()).join(",") ?? "all"} lists what there is`,
        });
      return Promise.resolve({ text: exportManifests(objects, (kind) => registry.get(kind)).trimEnd() });
    },
  };
}

function notFound(key: ObjectKey): ApiStatusError {
  return new ApiStatusError(404, "NotFound", `${keyText(key)} not found`, {
    hint: `town get ${key.kind.toLowerCase()} lists what there is`,
  });
}

function whyVerb({ store, now }: GitopsParts): Verb {
  return {
    name: "why",
    summary: "the last decision about an object, and what it rests on",
    needs: "view",
    run({ args }) {
      const key = keyOf(argumentsOf("why", objectArguments, args));
      const object = store.get(key);
      if (object === undefined) throw notFound(key);
      const conditions = conditionsOf(object);
      const events = store
        .list("Event")
        .map(
          (event) =>
            event as unknown as {
              readonly involvedObject?: { readonly kind?: string; readonly name?: string; readonly namespace?: string };
              readonly reason?: string;
              readonly message?: string;
              readonly lastTimestamp?: string;
            },
        )
        .filter((event) => event.involvedObject?.kind === key.kind && event.involvedObject.name === key.name)
        .toSorted((a, b) => (b.lastTimestamp ?? "").localeCompare(a.lastTimestamp ?? ""))
        .slice(0, 5);
      const age = (time: string | undefined): string =>
        time === undefined ? "" : humanDuration(now() - Date.parse(time));
      const lines = [
        ...conditions.map(
          (condition) =>
            `${condition.type}=${condition.status} since ${age(condition.lastTransitionTime)}: ${condition.reason}: ${condition.message}`,
        ),
        ...events.map((event) => `${age(event.lastTimestamp)} ago  ${event.reason ?? ""}: ${event.message ?? ""}`),
      ];
      return Promise.resolve({
        text: lines.length === 0 ? "nothing was decided about it yet" : lines.join("\n"),
        data: { conditions, events },
      });
    },
  };
}
