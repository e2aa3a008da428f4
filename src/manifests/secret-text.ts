/** Texts that only a key, token or password looks like; each from its issuer's documentation or secret-scanning rules. */
const KEYS: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/\bsk-(?:ant|proj|svcacct|or)-[A-Za-z0-9_-]{16,}/, "an API key"],
  [/\bsk-[A-Za-z0-9]{32,}\b/, "an API key"],
  [/\b(?:sk|rk)_live_[A-Za-z0-9]{16,}/, "an API key"],
  [/\bgh[pousr]_[A-Za-z0-9]{30,}/, "a GitHub token"],
  [/\bgithub_pat_[A-Za-z0-9_]{30,}/, "a GitHub token"],
  [/\bglpat-[A-Za-z0-9_-]{20,}/, "a GitLab token"],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/, "an AWS access key"],
  [/\bAIza[0-9A-Za-z_-]{35}/, "a Google API key"],
  [/\bxox[abeprs]-[A-Za-z0-9-]{10,}/, "a Slack token"],
  [/\bnpm_[A-Za-z0-9]{36}\b/, "an npm token"],
  [/\bhf_[A-Za-z0-9]{30,}\b/, "a Hugging Face token"],
  [/\bxai-[A-Za-z0-9]{40,}\b/, "an API key"],
  [/-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/, "a private key"],
  [/\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/, "a signed token"],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^/\s:@]+:[^/\s@${}]+@/i, "a URL with a password"],
];

const SECRET_NAME = /(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_KEY|SECRET_KEY|PRIVATE_KEY|CREDENTIALS?)$/i;

/** What secret a text looks like ("an API key"); undefined when it looks like none. */
export function secretIn(text: string): string | undefined {
  return KEYS.find(([pattern]) => pattern.test(text))?.[1];
}

/** The same for the value of an environment variable: its name counts too, unless the value is a path, words or a host fact. */
export function secretInVariable(name: string, value: string): string | undefined {
  const known = secretIn(value);
  if (known !== undefined) return known;
  const random =
    value.length >= 16 &&
    /^[^\s/]+$/.test(value) &&
    /[0-9]/.test(value) &&
    /[A-Za-z]/.test(value) &&
    !value.includes("${local:");
  return SECRET_NAME.test(name) && random ? "a secret" : undefined;
}
