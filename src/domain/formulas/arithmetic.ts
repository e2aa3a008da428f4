/** Whole-number arithmetic: `+ - * / ^ ( )` with the usual order; `/` drops the rest. Undefined: not such an expression. */
export function evaluateArithmetic(text: string): number | undefined {
  const tokens = text.match(/\d+|[-+*/^()]|\S/g) ?? [];
  if (tokens.length > 200) return undefined;
  const value = new Expression(tokens).value();
  return value === undefined || !Number.isSafeInteger(value) ? undefined : value;
}

/** `a..b`, both ends included; undefined when it is none, or when it has more than `limit` numbers. Empty when a > b. */
export function evaluateRange(text: string, limit: number): readonly number[] | undefined {
  const ends = text.split("..");
  if (ends.length !== 2) return undefined;
  const from = evaluateArithmetic(ends[0] ?? "");
  const to = evaluateArithmetic(ends[1] ?? "");
  if (from === undefined || to === undefined || to - from >= limit) return undefined;
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

type Value = number | undefined;

class Expression {
  readonly #tokens: readonly string[];
  #next = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  value(): Value {
    const value = this.#sum();
    return this.#next === this.#tokens.length ? value : undefined;
  }

  #take(...wanted: readonly string[]): string | undefined {
    const token = this.#tokens[this.#next];
    if (token === undefined || !wanted.includes(token)) return undefined;
    this.#next += 1;
    return token;
  }

  #sum(): Value {
    let left = this.#product();
    for (let sign = this.#take("+", "-"); sign !== undefined; sign = this.#take("+", "-")) {
      const right = this.#product();
      left = both(left, right, (a, b) => (sign === "+" ? a + b : a - b));
    }
    return left;
  }

  #product(): Value {
    let left = this.#power();
    for (let sign = this.#take("*", "/"); sign !== undefined; sign = this.#take("*", "/")) {
      const right = this.#power();
      left = both(left, right, (a, b) => (sign === "*" ? a * b : b === 0 ? Number.NaN : Math.trunc(a / b)));
    }
    return left;
  }

  #power(): Value {
    const base = this.#atom();
    if (this.#take("^") === undefined) return base;
    return both(base, this.#power(), (a, b) => a ** b);
  }

  #atom(): Value {
    if (this.#take("-") !== undefined) return both(0, this.#power(), (a, b) => a - b);
    if (this.#take("(") !== undefined) {
      const inner = this.#sum();
      return this.#take(")") === undefined ? undefined : inner;
    }
    const token = this.#tokens[this.#next];
    if (token === undefined || !/^\d+$/.test(token)) return undefined;
    this.#next += 1;
    return Number(token);
  }
}

function both(a: Value, b: Value, of: (a: number, b: number) => number): Value {
  return a === undefined || b === undefined ? undefined : of(a, b);
}
