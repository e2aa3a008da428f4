import { parse as parseYaml, stringify as stringifyYaml } from "yaml";

/** Plain data of a YAML text, for files that are not manifests. Throws on syntax errors. */
export function parse(text: string): unknown {
  return parseYaml(text) as unknown;
}

export function stringify(value: unknown): string {
  return stringifyYaml(value);
}
