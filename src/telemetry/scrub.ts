/**
 * What secrets look like inside a text: credentials in URLs, bearer tokens, and the key formats of well-known services.
 * The replacement keeps JSON intact: no pattern takes a quote or a backslash.
 */
const SECRETS: readonly { readonly pattern: RegExp; readonly by: string }[] = [
  { pattern: /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/"\\@:]*:[^\s/"\\@]+@/gi, by: "$1[redacted]@" },
  { pattern: /\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{8,}/gi, by: "$1 [redacted]" },
  { pattern: /\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}/g, by: "[redacted]" },
  {
    pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,})/g,
    by: "[redacted]",
  },
  { pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, by: "[redacted]" },
  { pattern: /\bxox[abprs]-[A-Za-z0-9-]{10,}/g, by: "[redacted]" },
  { pattern: /\bAIza[A-Za-z0-9_-]{35}/g, by: "[redacted]" },
];

/** The text without what looks like a secret. */
export function scrub(text: string): string {
  let clean = text;
  for (const { pattern, by } of SECRETS) clean = clean.replace(pattern, by);
  return clean;
}
