import { parseStamp } from "./stamp.ts";

/**
 * What keeps a value from being a record of the graph at all; everything else (odd statuses, long titles, unknown keys) is
 * kept as it is, since files of other tools hold it. Undefined: it is one.
 */
export function structureProblem(value: Readonly<Record<string, unknown>>): string | undefined {
  const { id, title, status, priority, issue_type: type } = value;
  if (typeof id !== "string" || id === "") return "`id` is missing";
  // eslint-disable-next-line no-control-regex
  if (id.length > 200 || /[\s/\\\u0000-\u001f]/.test(id))
    return `\`id\` must not hold blanks, slashes or control characters: '${id}'`;
  if (typeof title !== "string") return `\`title\` of ${id} is missing`;
  if (typeof status !== "string" || typeof type !== "string")
    return `\`status\` and \`issue_type\` of ${id} must be texts`;
  if (typeof priority !== "number" || !Number.isInteger(priority) || priority < 0 || priority > 4) {
    return `\`priority\` of ${id} must be a whole number from 0 to 4: ${JSON.stringify(priority)}`;
  }
  for (const field of ["created_at", "updated_at"]) {
    if (parseStamp(value[field]) === undefined)
      return `\`${field}\` of ${id} must be an RFC 3339 time: ${JSON.stringify(value[field])}`;
  }
  return edgesProblem(id, value["dependencies"]);
}

function edgesProblem(id: string, edges: unknown): string | undefined {
  if (!Array.isArray(edges)) return undefined;
  for (const edge of edges as readonly unknown[]) {
    const { issue_id: from, depends_on_id: to, type } = (edge ?? {}) as Readonly<Record<string, unknown>>;
    if (from !== id) return `a dependency of ${id} has \`issue_id\` ${JSON.stringify(from)}`;
    if (typeof to !== "string" || to === "" || typeof type !== "string" || type === "")
      return `a dependency of ${id} has no \`depends_on_id\` or no \`type\``;
  }
  return undefined;
}
