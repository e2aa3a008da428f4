/** Chance that two of `records` random ids are equal, at which an id gets one character more. */
const maxCollisionChance = 0.01;
const minLength = 6;
const maxLength = 16;

/** Characters a random id needs among `records` others: the birthday bound stays below one percent. */
export function idLength(records: number): number {
  let length = minLength;
  while (length < maxLength && records ** 2 / (2 * 36 ** length) > maxCollisionChance) length++;
  return length;
}

/**
 * A new id `<prefix>[-<infix>]-<base36>`. At least one digit is in it, because Beads takes a last part without digit for
 * a word of the prefix. `taken` tells which ids exist, deleted ones included; `base36` gives random characters.
 */
export function mintId(options: {
  readonly prefix: string;
  readonly infix?: string | undefined;
  readonly records: number;
  readonly taken: (id: string) => boolean;
  readonly base36: (length: number) => string;
}): string {
  const head = options.infix === undefined ? options.prefix : `${options.prefix}-${options.infix}`;
  let length = idLength(options.records);
  for (let attempt = 1; ; attempt++) {
    // A source that keeps repeating itself must not hang the caller: more characters after each eight tries.
    if (attempt % 8 === 0) length++;
    const hash = options.base36(length);
    const id = `${head}-${/\d/.test(hash) ? hash : `${hash.slice(0, -1)}${hash.length % 10}`}`;
    if (!options.taken(id)) return id;
  }
}

/** Number of a child id `<parent>.<n>`; undefined when `id` is no direct child of that form. */
export function childNumber(parent: string, id: string): number | undefined {
  if (!id.startsWith(`${parent}.`)) return undefined;
  const rest = id.slice(parent.length + 1);
  return /^\d{1,9}$/.test(rest) ? Number(rest) : undefined;
}

/** Next free child id: one above the highest number among the known children, and free. */
export function nextChildId(parent: string, children: readonly string[], taken: (id: string) => boolean): string {
  let number = 1;
  for (const id of children) number = Math.max(number, (childNumber(parent, id) ?? 0) + 1);
  while (taken(`${parent}.${number}`)) number++;
  return `${parent}.${number}`;
}

/** Orders ids as people expect: digits by value, so `x.4` comes before `x.10`. */
export function compareIds(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const x = left[i] ?? "";
    const y = right[i] ?? "";
    if (x === y) continue;
    const difference = Number(x) - Number(y);
    if (!Number.isNaN(difference) && difference !== 0) return difference;
    return x < y ? -1 : 1;
  }
  return left.length - right.length;
}
