/** Tokens and money, as programs record them. All counts are whole numbers; `costUSD` is in dollars. */
export interface Usage {
  /** Tokens sent that no cache held. */
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly costUSD: number;
}

export const NO_USAGE: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, costUSD: 0 };

/** A usage from a record; what is missing or no number counts as nothing. */
export function usageFrom(value: unknown): Usage {
  if (typeof value !== "object" || value === null) return NO_USAGE;
  const of = value as Readonly<Record<string, unknown>>;
  const number = (key: string): number => (typeof of[key] === "number" && Number.isFinite(of[key]) ? of[key] : 0);
  return {
    input: number("input"),
    output: number("output"),
    cacheRead: number("cacheRead"),
    cacheWrite: number("cacheWrite"),
    costUSD: number("costUSD"),
  };
}

export function addUsage(a: Usage, b: Usage): Usage {
  return combine(a, b, (x, y) => x + y);
}

export function addUsageByName(
  a: Readonly<Record<string, Usage>>,
  b: Readonly<Record<string, Usage>>,
): Readonly<Record<string, Usage>> {
  const sum: Record<string, Usage> = { ...a };
  for (const [name, used] of Object.entries(b)) sum[name] = addUsage(sum[name] ?? NO_USAGE, used);
  return sum;
}

export function isNoUsage(usage: Usage): boolean {
  return totalTokens(usage) === 0 && usage.costUSD === 0;
}

export function totalTokens(usage: Usage): number {
  return usage.input + usage.output + usage.cacheRead + usage.cacheWrite;
}

/** A usage as statuses show it; undefined when there is none. */
export function shownUsage(usage: Usage): (Usage & { readonly total: number }) | undefined {
  return isNoUsage(usage) ? undefined : { ...usage, total: totalTokens(usage) };
}

/** `950`, `12.3k`, `4.5M`. */
export function tokensText(tokens: number): string {
  if (tokens < 1_000) return String(tokens);
  return tokens < 999_950 ? `${(tokens / 1_000).toFixed(1)}k` : `${(tokens / 1_000_000).toFixed(1)}M`;
}

function combine(a: Usage, b: Usage, by: (x: number, y: number) => number): Usage {
  return {
    input: by(a.input, b.input),
    output: by(a.output, b.output),
    cacheRead: by(a.cacheRead, b.cacheRead),
    cacheWrite: by(a.cacheWrite, b.cacheWrite),
    // A millionth of a dollar is as fine as it gets; sums of fractions must not show as 0.30000000000000004.
    costUSD: Math.round(by(a.costUSD, b.costUSD) * 1e6) / 1e6,
  };
}

/** What a million tokens of a model cost, in dollars. */
export interface ModelPrice {
  /** Regular expression of the model's name. */
  readonly model: string;
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** Tokens of a model with their cost by the first price that fits; without one they cost nothing that is known. */
export function priced(
  tokens: Omit<Usage, "costUSD"> & { readonly model: string },
  prices: readonly ModelPrice[],
): Usage {
  const { model, input, output, cacheRead, cacheWrite } = tokens;
  const price = prices.find((each) => new RegExp(each.model).test(model));
  const cost =
    price === undefined
      ? 0
      : input * price.input + output * price.output + cacheRead * price.cacheRead + cacheWrite * price.cacheWrite;
  return { input, output, cacheRead, cacheWrite, costUSD: Math.round(cost) / 1e6 };
}
