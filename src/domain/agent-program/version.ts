/** First thing in a text that looks like a version: `2.1.197 (Claude Code)`, `codex-cli 0.169.0`. */
export function versionIn(text: string): string | undefined {
  return /\d+(?:\.\d+){1,3}(?:-[0-9A-Za-z.]+)?/.exec(text)?.[0];
}

/** Negative, zero or positive, by numbers; a pre-release comes before its release. */
export function compareVersions(a: string, b: string): number {
  const [coreA = "", preA] = a.split(/-(.*)/s);
  const [coreB = "", preB] = b.split(/-(.*)/s);
  const left = coreA.split(".").map(Number);
  const right = coreB.split(".").map(Number);
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  if (preA === preB) return 0;
  if (preA === undefined) return 1;
  return preB === undefined || preA < preB ? -1 : 1;
}

export interface VersionRange {
  readonly from: string;
  readonly to: string;
}

/** Both ends belong to it. */
export function isWithin(version: string, range: VersionRange): boolean {
  return compareVersions(version, range.from) >= 0 && compareVersions(version, range.to) <= 0;
}

/** The range that also holds this version. */
export function widened(range: VersionRange | undefined, version: string): VersionRange {
  if (range === undefined) return { from: version, to: version };
  return {
    from: compareVersions(version, range.from) < 0 ? version : range.from,
    to: compareVersions(version, range.to) > 0 ? version : range.to,
  };
}
