import { usageError } from "../grammar/usage-error.ts";

export type Operator = "=" | "!=" | ">" | ">=" | "<" | "<=";

/** What a query says: bd's `field OP value`, joined by AND, OR, NOT and parentheses. */
export type Query =
  | { readonly kind: "Compare"; readonly field: string; readonly operator: Operator; readonly value: string }
  | { readonly kind: "Not"; readonly of: Query }
  | { readonly kind: "And" | "Or"; readonly of: readonly Query[] };

interface Word {
  readonly text: string;
  readonly kind: "Operator" | "Bracket" | "Text" | "Quoted";
}

const hint = 'write: bd query "status=open AND (priority<2 OR label=urgent)"';

/** Reads a query; AND binds closer than OR, NOT closest. Throws TownError `Usage` that says what was expected where. */
export function parseQuery(text: string): Query {
  const words = wordsOf(text);
  if (words.length === 0) throw usageError("a query is required", hint);
  const reader = new QueryReader(words);
  const query = reader.either();
  const rest = reader.peek();
  if (rest !== undefined) throw usageError(`invalid query: AND or OR was expected before "${rest.text}"`, hint);
  return query;
}

function wordsOf(text: string): readonly Word[] {
  const words: Word[] = [];
  const pattern = /\s*(?:(!=|>=|<=|=|>|<)|([()])|"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s()=<>!"']+))/gy;
  let end = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const [, operator, bracket, double, single, plain] = match;
    end = pattern.lastIndex;
    if (operator !== undefined) words.push({ kind: "Operator", text: operator });
    else if (bracket !== undefined) words.push({ kind: "Bracket", text: bracket });
    else if (plain !== undefined) words.push({ kind: "Text", text: plain });
    else words.push({ kind: "Quoted", text: single ?? (double ?? "").replace(/\\(.)/g, "$1") });
  }
  const rest = text.slice(end).trim();
  if (rest !== "") throw usageError(`invalid query at "${rest.slice(0, 20)}"`, hint);
  return words;
}

class QueryReader {
  readonly #words: readonly Word[];
  #at = 0;

  constructor(words: readonly Word[]) {
    this.#words = words;
  }

  peek(): Word | undefined {
    return this.#words[this.#at];
  }

  either(): Query {
    return this.#joined("Or", () => this.#joined("And", () => this.#one()));
  }

  #joined(kind: "And" | "Or", next: () => Query): Query {
    const parts = [next()];
    while (this.#takes(kind)) parts.push(next());
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind, of: parts };
  }

  #takes(keyword: string): boolean {
    const word = this.peek();
    if (word?.kind !== "Text" || word.text.toLowerCase() !== keyword.toLowerCase()) return false;
    this.#at += 1;
    return true;
  }

  #one(): Query {
    if (this.#takes("Not")) return { kind: "Not", of: this.#one() };
    const word = this.#words[this.#at++];
    if (word?.text === "(" && word.kind === "Bracket") {
      const inside = this.either();
      if (this.#words[this.#at++]?.text !== ")") throw usageError("invalid query: a bracket is not closed", hint);
      return inside;
    }
    const operator = this.#words[this.#at++];
    const value = this.#words[this.#at++];
    if (word?.kind !== "Text") throw usageError(`invalid query: a field was expected${nearText(word)}`, hint);
    if (operator?.kind !== "Operator")
      throw usageError(`invalid query: one of = != > >= < <= was expected behind "${word.text}"`, hint);
    if (value === undefined || value.kind === "Operator" || value.kind === "Bracket")
      throw usageError(`invalid query: a value was expected behind "${word.text}${operator.text}"`, hint);
    return {
      kind: "Compare",
      field: word.text.toLowerCase(),
      operator: operator.text as Operator,
      value: value.text,
    };
  }
}

function nearText(word: Word | undefined): string {
  return word === undefined ? " at the end" : ` before "${word.text}"`;
}
