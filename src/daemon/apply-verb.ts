import { z } from "zod";
import { ApiStatusError } from "../errors/town-error.ts";
import { splitDocuments } from "../manifests/document-text.ts";
import { documentHunks } from "../manifests/object-diff.ts";
import { placeText } from "../manifests/problem.ts";
import { parseYaml } from "../manifests/yaml-document.ts";
import type { Caller } from "../resource/caller.ts";
import type { KindDefinition } from "../resource/kind-definition.ts";
import type { KindRegistry } from "../resource/kind-registry.ts";
import type { Verb } from "../resource/verb.ts";
import { argumentsOf } from "../verbs/arguments.ts";
import type { InternalAnswer, InternalCalls } from "./internal-calls.ts";

const applyArguments = z.strictObject({
  documents: z.array(z.strictObject({ path: z.string(), text: z.string().max(4 * 1024 * 1024) })).min(1),
  mode: z.enum(["Apply", "Create", "Replace", "Diff", "Delete"]).default("Apply"),
  dryRun: z.boolean().default(false),
  namespace: z.string().optional(),
  /** Delete: a document without an object is no error. */
  ignoreNotFound: z.boolean().default(false),
  /** Delete: what happens to what the objects own. */
  cascade: z.enum(["background", "foreground", "orphan"]).default("background"),
});

const PROPAGATION = { background: "Background", foreground: "Foreground", orphan: "Orphan" } as const;

type Arguments = z.infer<typeof applyArguments>;
type Fields = Readonly<Record<string, unknown>>;

interface Stated {
  readonly place: string;
  readonly definition: KindDefinition;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly body: Fields;
}

interface Result {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly result: string;
  readonly object?: unknown;
}

/**
 * `town apply|create|replace|diff|delete -f`: all documents of one call through the same admission as any other request;
 * those that become commits share one.
 */
export function applyVerb(registry: KindRegistry, calls: InternalCalls): Verb {
  return {
    name: "apply",
    summary: "apply, create, replace, compare or delete what manifests declare",
    needs: "edit",
    async run({ caller, args }) {
      const options = argumentsOf("apply", applyArguments, args);
      const stated = options.documents.flatMap((document) => readDocuments(document, options.namespace, registry));
      if (stated.length === 0)
        throw new ApiStatusError(
          400,
          "BadRequest",
          `no object in ${options.documents.map((document) => document.path).join(", ")}`,
          { hint: "a document has apiVersion, kind, metadata and spec; `town explain TYPE` names the fields" },
        );
      if (options.mode === "Diff") return diff(stated, caller, calls);
      const outcomes = await Promise.all(stated.map((one) => applyOne(one, options, caller, calls)));
      const failed = outcomes.filter((outcome) => outcome.error !== undefined);
      return {
        text: outcomes.flatMap((outcome) => outcome.line ?? []).join("\n"),
        ...(failed.length === 0
          ? {}
          : {
              errorText: failed.map((outcome) => `Error from server: ${outcome.error ?? ""}`).join("\n"),
              exitCode: 1,
            }),
        data: { results: outcomes.flatMap((outcome) => outcome.result ?? []) },
      };
    },
  };
}

function readDocuments(
  file: { readonly path: string; readonly text: string },
  namespace: string | undefined,
  registry: KindRegistry,
): readonly Stated[] {
  return splitDocuments(file.text)
    .filter((part) => part.hasContent)
    .flatMap((part) => {
      const document = parseYaml(part);
      const fault = document.faults[0];
      if (fault !== undefined) throw refuse(placeText({ path: file.path, ...fault }), fault.message, fault.hint);
      const value = document.value as Fields | null;
      const items =
        value?.["kind"] === "List" && Array.isArray(value["items"])
          ? (value["items"] as readonly Fields[])
          : [value ?? {}];
      const at = (path: readonly string[]): string => placeText({ path: file.path, ...document.placeOf(path, "Key") });
      return items.map((body) => statedOf(body, at, namespace, registry));
    });
}

function statedOf(
  body: Fields,
  at: (path: readonly string[]) => string,
  namespace: string | undefined,
  registry: KindRegistry,
): Stated {
  const kind = typeof body["kind"] === "string" ? body["kind"] : "";
  const definition = registry.get(kind);
  if (definition === undefined)
    throw refuse(
      at(["kind"]),
      kind === "" ? "`kind` must be set" : `there is no kind '${kind}'`,
      "`town api-resources` lists the kinds",
    );
  const apiVersion = `${definition.group}/${definition.version}`;
  if (body["apiVersion"] !== apiVersion)
    throw refuse(at(["apiVersion"]), `\`apiVersion\` must be '${apiVersion}' for ${kind}`, undefined);
  const metadata = (body["metadata"] ?? {}) as Fields;
  const name = metadata["name"];
  if (typeof name !== "string" || name === "") throw refuse(at(["metadata"]), "`metadata.name` must be set", undefined);
  const own = metadata["namespace"];
  const found = definition.scope === "Cluster" ? undefined : typeof own === "string" ? own : (namespace ?? "hq");
  return {
    place: at([]),
    definition,
    namespace: found,
    name,
    body: { ...body, metadata: { ...metadata, ...(found === undefined ? {} : { namespace: found }) } },
  };
}

function refuse(place: string, message: string, hint: string | undefined): ApiStatusError {
  return new ApiStatusError(422, "Invalid", `${place}: ${message}`, hint === undefined ? {} : { hint });
}

function collectionPath({ definition, namespace }: Stated): string {
  const { group, version, plural } = definition;
  return `/apis/${group}/${version}${namespace === undefined ? "" : `/namespaces/${namespace}`}/${plural}`;
}

interface Outcome {
  readonly line?: string;
  readonly error?: string;
  readonly result?: Result;
}

async function applyOne(stated: Stated, options: Arguments, caller: Caller, calls: InternalCalls): Promise<Outcome> {
  const collection = collectionPath(stated);
  const query = `?fieldValidation=Strict${options.dryRun ? "&dryRun=All" : ""}`;
  const path = `${collection}/${stated.name}`;
  const live = await calls.send(caller, "GET", path);
  const done = async (what: string, answer: InternalAnswer): Promise<Outcome> => {
    if (answer.status >= 400) return { error: `${stated.place}: ${String(answer.body["message"])}` };
    const suffix = options.dryRun ? " (server dry run)" : "";
    const { group, version, kind } = stated.definition;
    return {
      line: `${stated.definition.singular}.${group}/${stated.name} ${what}${suffix}`,
      result: {
        apiVersion: `${group}/${version}`,
        kind,
        ...(stated.namespace === undefined ? {} : { namespace: stated.namespace }),
        name: stated.name,
        result: what,
        object: answer.body,
      },
    };
  };
  if (options.mode === "Delete") {
    if (live.status === 404 && options.ignoreNotFound) return {};
    const body = { propagationPolicy: PROPAGATION[options.cascade] };
    return done("deleted", await calls.send(caller, "DELETE", `${path}${options.dryRun ? "?dryRun=All" : ""}`, body));
  }
  if (live.status === 404 && options.mode !== "Replace")
    return done("created", await calls.send(caller, "POST", collection + query, stated.body));
  if (live.status >= 400) return { error: `${stated.place}: ${String(live.body["message"])}` };
  if (options.mode === "Create")
    return done("created", await calls.send(caller, "POST", collection + query, stated.body));
  // Who replaces what was read states the version of it, so that a change in between is a conflict.
  const isGuarded = options.mode === "Replace" && versionOf(stated.body) !== undefined;
  const body = isGuarded ? stated.body : withVersion(stated.body, live.body);
  const answer = await calls.send(caller, "PUT", path + query, body);
  const same = versionOf(answer.body) === versionOf(live.body);
  return done(options.mode === "Replace" ? "replaced" : same ? "unchanged" : "configured", answer);
}

function versionOf(object: Fields): unknown {
  return (object["metadata"] as Fields | undefined)?.["resourceVersion"];
}

function withVersion(body: Fields, live: Fields): Fields {
  return { ...body, metadata: { ...(body["metadata"] as Fields), resourceVersion: versionOf(live) } };
}

/** Live against what would be there: unified text, exit code 1 when something differs. */
async function diff(stated: readonly Stated[], caller: Caller, calls: InternalCalls) {
  const parts: string[] = [];
  for (const one of stated) {
    const path = `${collectionPath(one)}/${one.name}`;
    const live = await calls.send(caller, "GET", path);
    const answer =
      live.status === 404
        ? await calls.send(caller, "POST", `${collectionPath(one)}?dryRun=All&fieldValidation=Strict`, one.body)
        : await calls.send(
            caller,
            "PUT",
            `${path}?dryRun=All&fieldValidation=Strict`,
            withVersion(one.body, live.body),
          );
    if (answer.status >= 400)
      throw new ApiStatusError(
        answer.status,
        String(answer.body["reason"]),
        `${one.place}: ${String(answer.body["message"])}`,
      );
    const hunks = documentHunks(live.status === 404 ? undefined : comparable(live.body), comparable(answer.body));
    if (hunks.length > 0)
      parts.push(
        `--- ${one.definition.kind}/${one.name} (live)\n+++ ${one.definition.kind}/${one.name} (${one.place})`,
        ...hunks,
      );
  }
  return { text: parts.join("\n"), exitCode: parts.length === 0 ? 0 : 1, data: { differs: parts.length > 0 } };
}

/** What a document can say of an object. */
function comparable(object: Fields): Fields {
  const { name, namespace, labels, annotations } = (object["metadata"] ?? {}) as Fields;
  return {
    apiVersion: object["apiVersion"],
    kind: object["kind"],
    metadata: { name, namespace, labels, annotations },
    spec: object["spec"],
  };
}
