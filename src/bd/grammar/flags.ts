import type { Flag } from "./flag.ts";

/** The flags of one command line, by long name. Asking for a flag the command does not have gives "not given". */
export class Flags {
  readonly #given: ReadonlyMap<string, readonly string[]>;

  constructor(given: ReadonlyMap<string, readonly string[]>) {
    this.#given = given;
  }

  has(name: string): boolean {
    return this.#given.has(name);
  }

  isSet(name: string): boolean {
    return this.#given.get(name)?.at(-1) === "true";
  }

  /** The last value given. */
  text(name: string): string | undefined {
    return this.#given.get(name)?.at(-1);
  }

  /** Every value given, in order. */
  texts(name: string): readonly string[] {
    return this.#given.get(name) ?? [];
  }

  /** Comma-separated items of every value, without blanks and empty ones. */
  list(name: string): readonly string[] {
    return itemsOf(this.texts(name));
  }

  /** The same flags with one given another value. */
  with(name: string, value: string): Flags {
    return new Flags(new Map([...this.#given, [name, [value]]]));
  }

  number(name: string): number | undefined {
    const value = this.text(name);
    return value === undefined ? undefined : Number(value);
  }
}

export function itemsOf(values: readonly string[]): readonly string[] {
  return values
    .flatMap((value) => value.split(","))
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** Every long name of the flags. */
export function longNames(flags: readonly Flag[]): readonly string[] {
  return flags.flatMap(({ name, also }) => [name, ...(also ?? [])]);
}
