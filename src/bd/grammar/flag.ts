/** One flag of a command, as bd writes it. */
export interface Flag {
  /** Long name without dashes. */
  readonly name: string;
  /** Its letters; help shows the first. */
  readonly short?: string;
  /** Further long names that mean the same. */
  readonly also?: readonly string[];
  /** `switch` takes no value; `texts` may be repeated; `list` may be repeated and holds comma-separated items. */
  readonly type: "switch" | "text" | "texts" | "list" | "number";
  /** Name of the value in help. Default by type. */
  readonly value?: string;
  readonly help: string;
}

export function flag(name: string, help: string, short?: string): Flag {
  return { name, type: "switch", help, ...(short === undefined ? {} : { short }) };
}

export function text(name: string, value: string, help: string, short?: string): Flag {
  return { name, type: "text", value, help, ...(short === undefined ? {} : { short }) };
}

export function texts(name: string, value: string, help: string, short?: string): Flag {
  return { name, type: "texts", value, help, ...(short === undefined ? {} : { short }) };
}

export function list(name: string, value: string, help: string, short?: string): Flag {
  return { name, type: "list", value, help, ...(short === undefined ? {} : { short }) };
}

export function number(name: string, value: string, help: string, short?: string): Flag {
  return { name, type: "number", value, help, ...(short === undefined ? {} : { short }) };
}

/** The same flag under more names. */
export function also(given: Flag, ...names: readonly string[]): Flag {
  return { ...given, also: names };
}
