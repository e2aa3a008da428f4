import { foreignFlag } from "./foreign-flags.ts";
import { isKeptPromise } from "./kept-promises.ts";
import { didYouMean } from "./suggestion.ts";
import { usageError } from "./usage-error.ts";
import type { Flag } from "./flag.ts";
import { Flags, longNames } from "./flags.ts";

export interface ParsedLine {
  readonly args: readonly string[];
  readonly flags: Flags;
}

interface Reading {
  readonly words: readonly string[];
  readonly flags: readonly Flag[];
  readonly given: Map<string, string[]>;
  readonly command: string;
}

/**
 * Reads a command line as bd's flag library does: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-abc`, `--`;
 * flags and arguments may be mixed. Throws TownError `Usage` that names the flag and the nearest known one.
 */
export function parseFlags(command: string, words: readonly string[], flags: readonly Flag[]): ParsedLine {
  const reading: Reading = { words, flags, given: new Map(), command };
  const args: string[] = [];
  let at = 0;
  while (at < words.length) {
    const word = words[at] ?? "";
    if (word === "--") {
      args.push(...words.slice(at + 1));
      break;
    }
    if (word.startsWith("--")) at = readLong(reading, at);
    else if (word.startsWith("-") && word.length > 1 && !isNumber(word)) at = readShort(reading, at);
    else {
      args.push(word);
      at += 1;
    }
  }
  return { args, flags: new Flags(reading.given) };
}

// `-1` is an argument: bd has no flags that are digits.
function isNumber(word: string): boolean {
  return /^-\d/.test(word);
}

function readLong(reading: Reading, at: number): number {
  const word = (reading.words[at] ?? "").slice(2);
  const equals = word.indexOf("=");
  const name = equals < 0 ? word : word.slice(0, equals);
  const found = reading.flags.find((known) => known.name === name || known.also?.includes(name) === true);
  if (found === undefined && isKeptPromise(reading.command, name) && ["", "=true"].includes(word.slice(name.length)))
    return at + 1;
  if (found === undefined) throw unknownFlag(reading, name);
  if (equals >= 0) return store(reading, found, word.slice(equals + 1), at + 1);
  if (found.type === "switch") return store(reading, found, "true", at + 1);
  const value = reading.words[at + 1];
  if (value === undefined) throw needsValue(reading, `--${name}`);
  return store(reading, found, value, at + 2);
}

function readShort(reading: Reading, at: number): number {
  const letters = (reading.words[at] ?? "").slice(1);
  for (let i = 0; i < letters.length; i += 1) {
    const letter = letters[i] ?? "";
    const found = reading.flags.find((known) => known.short?.includes(letter) === true);
    if (found === undefined)
      throw usageError(`unknown shorthand flag: '${letter}' in -${letters}`, helpHint(reading.command));
    if (found.type === "switch") {
      store(reading, found, "true", at);
      continue;
    }
    const rest = letters.slice(i + 1).replace(/^=/, "");
    if (rest !== "") return store(reading, found, rest, at + 1);
    const value = reading.words[at + 1];
    if (value === undefined) throw needsValue(reading, `-${letter}`);
    return store(reading, found, value, at + 2);
  }
  return at + 1;
}

function store(reading: Reading, known: Flag, value: string, next: number): number {
  const bad = badValue(known, value);
  if (bad !== undefined) {
    throw usageError(`invalid argument "${value}" for "--${known.name}" flag: ${bad}`, helpHint(reading.command));
  }
  const before = reading.given.get(known.name);
  if (before === undefined) reading.given.set(known.name, [value]);
  else before.push(value);
  return next;
}

function badValue(known: Flag, value: string): string | undefined {
  if (known.type === "number") return /^-?\d+$/.test(value) ? undefined : "it must be a whole number";
  if (known.type === "switch") return value === "true" || value === "false" ? undefined : "it must be true or false";
  return undefined;
}

function unknownFlag(reading: Reading, name: string): Error {
  const reason = foreignFlag(reading.command, name);
  if (reason !== undefined) return usageError(`unknown flag: --${name}`, reason);
  const meant = didYouMean(name, longNames(reading.flags), "--");
  return usageError(`unknown flag: --${name}`, meant ?? helpHint(reading.command));
}

function needsValue(reading: Reading, shown: string): Error {
  return usageError(`flag needs an argument: ${shown}`, helpHint(reading.command));
}

function helpHint(command: string): string {
  return `see: bd help ${command}`;
}
