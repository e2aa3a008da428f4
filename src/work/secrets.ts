import type { TownLayout } from "../ports/loop-ports.ts";

/** Names of secrets: RFC 1123 subdomains, which are also safe file names. */
export const SECRET_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** The 0600 file that holds a secret's value. */
export function secretFile(layout: Pick<TownLayout, "state">, name: string): string {
  return `${layout.state}/secrets/${name}`;
}
