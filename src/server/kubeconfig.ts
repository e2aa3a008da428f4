import { Buffer } from "node:buffer";
import type { Files } from "../ports/files.ts";
import { isRecord } from "../resource/equality.ts";

/** What one town contributes to a kubeconfig. */
export interface KubeconfigEntry {
  /** Name of cluster, user and context: `town` or `town-<name>`. */
  readonly name: string;
  /** `https://127.0.0.1:PORT`. */
  readonly server: string;
  /** PEM. */
  readonly certificateAuthority: string;
  readonly token: string;
  /** Default `hq`. */
  readonly namespace?: string;
}

type Json = Readonly<Record<string, unknown>>;

/** A kubeconfig (v1 Config) with only this town in it, as data. */
export function kubeconfigOf(entry: KubeconfigEntry): Json {
  return mergedKubeconfig({}, entry);
}

/**
 * A kubeconfig with this town added or renewed; everything else in it is kept. Its context becomes the current one only
 * where none was chosen.
 */
export function mergedKubeconfig(existing: unknown, entry: KubeconfigEntry): Json {
  const former: Json = isRecord(existing) ? existing : {};
  const { name, server, token } = entry;
  const cluster = {
    name,
    cluster: { server, "certificate-authority-data": Buffer.from(entry.certificateAuthority).toString("base64") },
  };
  const context = { name, context: { cluster: name, user: name, namespace: entry.namespace ?? "hq" } };
  const current = former["current-context"];
  return {
    ...former,
    apiVersion: "v1",
    kind: "Config",
    clusters: withNamed(former["clusters"], cluster),
    users: withNamed(former["users"], { name, user: { token } }),
    contexts: withNamed(former["contexts"], context),
    "current-context": typeof current === "string" && current !== "" ? current : name,
  };
}

/** Writes a kubeconfig of its own (0600) for `KUBECONFIG` or `--kubeconfig`. */
export async function writeKubeconfig(files: Files, path: string, entry: KubeconfigEntry): Promise<void> {
  await files.writeAtomic(path, kubeconfigText(entry), { mode: 0o600 });
}

/** A way to read and write YAML with its comments. */
export interface YamlCodec {
  parse(text: string): unknown;
  stringify(value: unknown): string;
}

/** Adds the town to a person's kubeconfig (0600), or makes one. */
export async function mergeKubeconfigFile(
  files: Files,
  path: string,
  entry: KubeconfigEntry,
  yaml: YamlCodec,
): Promise<void> {
  const text = await files.readText(path);
  const existing = text === undefined ? {} : yaml.parse(text);
  await files.writeAtomic(path, yaml.stringify(mergedKubeconfig(existing, entry)), { mode: 0o600 });
}

/** The text of a kubeconfig with only this town. Every value is a JSON string, which YAML reads as it is. */
export function kubeconfigText(entry: KubeconfigEntry): string {
  const text = (value: unknown): string => JSON.stringify(value);
  const { name, server, token, namespace = "hq" } = entry;
  return [
    "apiVersion: v1",
    "kind: Config",
    `current-context: ${text(name)}`,
    "clusters:",
    `  - name: ${text(name)}`,
    "    cluster:",
    `      server: ${text(server)}`,
    `      certificate-authority-data: ${text(Buffer.from(entry.certificateAuthority).toString("base64"))}`,
    "users:",
    `  - name: ${text(name)}`,
    "    user:",
    `      token: ${text(token)}`,
    "contexts:",
    `  - name: ${text(name)}`,
    "    context:",
    `      cluster: ${text(name)}`,
    `      user: ${text(name)}`,
    `      namespace: ${text(namespace)}`,
    "",
  ].join("\n");
}

function withNamed(
  list: unknown,
  item: { readonly name: string; readonly [field: string]: unknown },
): readonly unknown[] {
  const former: readonly unknown[] = Array.isArray(list) ? list : [];
  const at = former.findIndex((other) => isRecord(other) && other["name"] === item.name);
  return at === -1 ? [...former, item] : former.map((other, index) => (index === at ? item : other));
}
