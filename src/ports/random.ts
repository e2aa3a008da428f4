/** Randomness; seeded in simulations. */
export interface Random {
  /** Uniform in [0, 1). */
  float(): number;
  /** RFC 4122 version 4, lower case. */
  uuid(): string;
  /** `length` characters of 0-9a-z, uniform. */
  base36(length: number): string;
  /** Hex text of `bytes` random bytes, fit for secrets in the real adapter. */
  secret(bytes: number): string;
}
