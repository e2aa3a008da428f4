import { isDnsLabel, isSubdomain } from "../resource/names.ts";
import { TOWN_NAMESPACE } from "../resource/object-meta.ts";

const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const LABEL_NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

/** Names that a Rig cannot have, because their namespaces are built in or have another meaning. */
const RESERVED_RIG_NAMES: ReadonlySet<string> = new Set([TOWN_NAMESPACE, "default", "overseer"]);

/**
 * Why a text cannot be `metadata.name` of a kind, as the end of a sentence that begins with the field ("must be …");
 * undefined when it can. Rigs name a namespace and so take RFC 1123 labels, everything else RFC 1123 subdomains
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/).
 */
export function nameRefusal(kind: string, name: string): string | undefined {
  if (kind === "Rig") {
    if (!isDnsLabel(name))
      return "must be lower-case letters, digits and '-', at most 63 characters, starting and ending with a letter or digit";
    if (RESERVED_RIG_NAMES.has(name) || name.startsWith("kube-"))
      return "must not be 'hq', 'default', 'overseer' or start with 'kube-', which are reserved";
    return undefined;
  }
  if (!isSubdomain(name))
    return "must be lower-case letters, digits, '-' and '.', at most 253 characters, starting and ending with a letter or digit";
  return undefined;
}

/** The same for `metadata.namespace`. Namespaces are `hq`, `default` and the names of Rigs. */
export function namespaceRefusal(namespace: string): string | undefined {
  return namespace === TOWN_NAMESPACE || namespace === "default" ? undefined : nameRefusal("Rig", namespace);
}

/** The same for the key of a label or annotation: `name` or `domain/name`. */
export function labelKeyRefusal(key: string): string | undefined {
  const slash = key.indexOf("/");
  const prefix = slash === -1 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  const fits = name.length <= 63 && LABEL_NAME.test(name) && (prefix === undefined || isSubdomain(prefix));
  return fits
    ? undefined
    : "must be letters, digits, '-', '_' and '.', at most 63 characters, with an optional 'domain/' in front";
}

/** The same for the value of a label. */
export function labelValueRefusal(value: string): string | undefined {
  const fits = value.length <= 63 && LABEL_VALUE.test(value);
  return fits
    ? undefined
    : "must be letters, digits, '-', '_' and '.', at most 63 characters, starting and ending with a letter or digit";
}
