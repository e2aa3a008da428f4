import { TownError, type ErrorCause } from "../errors/town-error.ts";

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const MAX_ANNOTATIONS_BYTES = 256 * 1024;

const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

export function isSubdomain(name: string): boolean {
  return name.length <= 253 && SUBDOMAIN.test(name);
}

export function isDnsLabel(name: string): boolean {
  return name.length <= 63 && LABEL.test(name);
}

/** What a Kubernetes API server would find wrong with a name, in its words. */
export function nameCauses(name: string, field = "metadata.name"): readonly ErrorCause[] {
  if (isSubdomain(name)) return [];
  return [invalid(field, name, name.length > 253 ? "must be no more than 253 characters" : SUBDOMAIN_TEXT)];
}

export function dnsLabelCauses(name: string, field = "metadata.name"): readonly ErrorCause[] {
  if (isDnsLabel(name)) return [];
  return [invalid(field, name, name.length > 63 ? "must be no more than 63 characters" : LABEL_TEXT)];
}

/** Labels: keys `[prefix/]name`, values of at most 63 characters. */
export function labelCauses(labels: Readonly<Record<string, string>>): readonly ErrorCause[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const causes = [...qualifiedNameCauses(key, "metadata.labels")];
    if (value.length > 63) causes.push(invalid("metadata.labels", value, "must be no more than 63 characters"));
    else if (!LABEL_VALUE.test(value)) {
      causes.push(
        invalid(
          "metadata.labels",
          value,
          "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        ),
      );
    }
    return causes;
  });
}

export function annotationCauses(annotations: Readonly<Record<string, string>>): readonly ErrorCause[] {
  const bytes = Object.entries(annotations).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  const keys = Object.keys(annotations).flatMap((key) =>
    qualifiedNameCauses(key.toLowerCase(), "metadata.annotations"),
  );
  if (bytes <= MAX_ANNOTATIONS_BYTES) return keys;
  return [
    ...keys,
    {
      reason: "FieldValueTooLong",
      field: "metadata.annotations",
      message: "Too long: may not be more than 262144 bytes",
    },
  ];
}

export function finalizerCauses(finalizers: readonly string[]): readonly ErrorCause[] {
  return finalizers.flatMap((name) => qualifiedNameCauses(name, "metadata.finalizers"));
}

function qualifiedNameCauses(key: string, field: string): readonly ErrorCause[] {
  const slash = key.indexOf("/");
  const prefix = slash === -1 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  const wrongPrefix = prefix !== undefined && !isSubdomain(prefix);
  if (!wrongPrefix && name.length > 0 && name.length <= 63 && QUALIFIED.test(name)) return [];
  const rule = wrongPrefix
    ? `prefix part ${SUBDOMAIN_TEXT}`
    : "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
  return [invalid(field, key, rule)];
}

function invalid(field: string, value: string, rule: string): ErrorCause {
  return { reason: "FieldValueInvalid", field, message: `Invalid value: ${JSON.stringify(value)}: ${rule}` };
}

/** Begins names that stand for an id which is no valid name itself. */
const DERIVED = "id--";

/**
 * `metadata.name` of a record whose id is `id`: the id where that is an RFC 1123 subdomain, else `id--` and the id with
 * every other character than a-z and 0-9 as `-` and two hex digits per UTF-8 byte. `idOfName` turns it back. Throws
 * TownError `IdTooLong` when the result would not fit into 253 characters.
 */
export function nameOfId(id: string): string {
  if (isSubdomain(id) && !id.startsWith(DERIVED)) return id;
  const bytes = utf8(id);
  const name =
    DERIVED +
    bytes
      .map((byte) => (isPlain(byte) ? String.fromCharCode(byte) : `-${byte.toString(16).padStart(2, "0")}`))
      .join("");
  if (name.length > 253 || id === "") {
    throw new TownError(
      "IdTooLong",
      `Cannot give '${id.slice(0, 80)}' an object name: the name would have ${name.length} characters, 1 to 253 characters beside '${DERIVED}' are allowed.`,
    );
  }
  return name;
}

/** The id that `nameOfId` made the name from; a name that it never makes is its own id. */
export function idOfName(name: string): string {
  if (!name.startsWith(DERIVED)) return name;
  const escaped = name.slice(DERIVED.length).replace(/-([0-9a-f]{2})/g, "%$1");
  try {
    const id = decodeURIComponent(escaped);
    return nameOfId(id) === name ? id : name;
  } catch {
    return name;
  }
}

function isPlain(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39);
}

function utf8(text: string): readonly number[] {
  return (
    encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, "\ufffd"))
      .match(/%[0-9A-F]{2}|[^%]/g)
      ?.map((part) => (part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0))) ?? []
  );
}
