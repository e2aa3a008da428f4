import type { TownObject } from "../resource/object-meta.ts";
import { compileJsonPath } from "../resource/json-path.ts";
import { plainText } from "../resource/plain-text.ts";
import { matchesLabels, parseFieldSelector, parseLabelSelector } from "../resource/selector.ts";
import type { ResourceTarget } from "./api-request.ts";
import { badRequest } from "./status.ts";

/** Which objects of a resource a request means. */
export interface Selection {
  readonly namespace?: string;
  /** The only possible name, where the path or a field selector names it. */
  readonly name?: string;
  /** True when neither labels nor fields are asked for. */
  readonly everything: boolean;
  matches(object: TownObject): boolean;
}

/** Reads labelSelector and fieldSelector. Throws 400 for syntax and for fields that cannot be selected by. */
export function selectionOf(target: ResourceTarget, query: URLSearchParams): Selection {
  const labels = parseLabelSelector(query.get("labelSelector") ?? "");
  const requirements = parseFieldSelector(query.get("fieldSelector") ?? "");
  const fields = requirements.map(({ field, equal, value }) => {
    const path = target.resource.selectorPath(field);
    if (path === undefined) throw badRequest(`field label not supported: ${field}`);
    const read = compileJsonPath(path);
    return (object: TownObject): boolean => (plainText(read(object)[0]) === value) === equal;
  });
  const name = target.name ?? requirements.find(({ field, equal }) => field === "metadata.name" && equal)?.value;
  const { namespace } = target;
  const hasName = target.name;
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    everything: labels.length === 0 && fields.length === 0 && hasName === undefined,
    matches: (object) =>
      (namespace === undefined || object.metadata.namespace === namespace) &&
      (hasName === undefined || object.metadata.name === hasName) &&
      (labels.length === 0 || matchesLabels(object.metadata.labels, labels)) &&
      fields.every((field) => field(object)),
  };
}
