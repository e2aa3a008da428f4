const UNITS = { s: 1, m: 60, h: 3600, d: 86_400, y: 31_536_000 } as const;

/**
 * An age as kubectl prints it: `5s`, `2m43s`, `17m`, `3h5m`, `2d4h`, `17d`, `2y110d`. Source of the steps:
 * k8s.io/apimachinery pkg/util/duration HumanDuration.
 */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 2 * UNITS.m) return `${seconds}s`;
  const minutes = Math.floor(seconds / UNITS.m);
  if (minutes < 10) return pair(minutes, "m", seconds % UNITS.m, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(seconds / UNITS.h);
  if (hours < 8) return pair(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return pair(days, "d", hours % 24, "h");
  if (days < 730) return `${days}d`;
  const years = Math.floor(days / 365);
  return years < 8 ? pair(years, "y", days % 365, "d") : `${years}y`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}
