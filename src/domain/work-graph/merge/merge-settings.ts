import { compareStamps, parseStamp } from "../record/stamp.ts";

/** A setting or memory that every clone shares. */
export interface SharedSetting {
  readonly value: string;
  /** When it was set; absent where nobody wrote that down, which counts as long ago. */
  readonly updated_at?: string;
}

export type SharedSettings = ReadonlyMap<string, SharedSetting>;

/**
 * Three-way by key: what one side changed is taken; of two changes the later one, a change before a removal. It does not
 * matter which side is which.
 */
export function mergeSettings(base: SharedSettings, a: SharedSettings, b: SharedSettings): SharedSettings {
  const merged = new Map<string, SharedSetting>();
  for (const key of [...new Set([...a.keys(), ...b.keys()])].sort()) {
    const setting = mergedSetting(base.get(key), a.get(key), b.get(key));
    if (setting !== undefined) merged.set(key, setting);
  }
  return merged;
}

function mergedSetting(
  base: SharedSetting | undefined,
  a: SharedSetting | undefined,
  b: SharedSetting | undefined,
): SharedSetting | undefined {
  if (isSame(base, a)) return b;
  if (isSame(base, b)) return a;
  if (a === undefined || b === undefined) return a ?? b;
  const difference = compareStamps(stampOf(a), stampOf(b));
  return difference > 0 || (difference === 0 && a.value >= b.value) ? a : b;
}

function isSame(a: SharedSetting | undefined, b: SharedSetting | undefined): boolean {
  return a?.value === b?.value && a?.updated_at === b?.updated_at;
}

function stampOf({ updated_at: at }: SharedSetting) {
  return parseStamp(at) ?? { ms: 0, tick: 0 };
}
