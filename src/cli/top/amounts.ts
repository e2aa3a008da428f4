/** `950`, `12.3k`, `4.5M`; empty for none. */
export function tokensText(tokens: number): string {
  if (tokens === 0) return "";
  if (tokens < 1_000) return String(tokens);
  return tokens < 999_950 ? `${(tokens / 1_000).toFixed(1)}k` : `${(tokens / 1_000_000).toFixed(1)}M`;
}

/** `$4.21`; empty for none. */
export function costText(costUSD: number): string {
  if (costUSD === 0) return "";
  return costUSD < 0.01 ? "<$0.01" : `$${costUSD.toFixed(2)}`;
}

/** A bar of `width` columns that is full to `part` of `whole`; blocks where the terminal shows them, else ASCII. */
export function bar(part: number, whole: number, width: number, unicode: boolean): string {
  const full = whole === 0 ? 0 : Math.min(width, Math.floor((part / whole) * width));
  const [on, off] = unicode ? ["█", "░"] : ["#", "-"];
  return on.repeat(full) + off.repeat(width - full);
}
