import type { ResourceType } from "./discovery.ts";

/** plural, kind, short names, scope; singular is the kind in lower case. */
type Known = readonly [
  plural: string,
  kind: string,
  shortNames: readonly string[],
  scope: "Cluster" | "Namespaced",
  hasScale?: true,
];

const DESIRED: readonly Known[] = [
  ["agentpools", "AgentPool", ["pool", "ap"], "Namespaced", true],
  ["convoys", "Convoy", ["cv"], "Namespaced"],
  ["patrols", "Patrol", [], "Namespaced"],
  ["plugins", "Plugin", [], "Namespaced"],
  ["providers", "Provider", [], "Cluster"],
  ["rigs", "Rig", [], "Cluster"],
  ["roles", "Role", [], "Cluster"],
  ["sources", "Source", [], "Cluster"],
  ["towns", "Town", [], "Cluster"],
];

const WORK: readonly Known[] = [
  ["agents", "Agent", ["ag"], "Namespaced"],
  ["beads", "Bead", ["bd"], "Namespaced"],
  ["escalations", "Escalation", ["esc"], "Namespaced"],
  ["formulas", "Formula", [], "Cluster"],
  ["mergerequests", "MergeRequest", ["mr"], "Namespaced"],
  ["messages", "Message", ["msg"], "Namespaced"],
  ["molecules", "Molecule", ["mol"], "Namespaced"],
  ["sandboxes", "Sandbox", ["sb"], "Namespaced"],
  ["sessions", "Session", ["ses"], "Namespaced"],
];

/**
 * Town's own types as `get` needs them, so that it can ask for the listing at once: discovery first would be a tenth of
 * its time. A guess only: a server that answers 404 to it is asked what it has.
 */
export const KNOWN_TYPES: readonly ResourceType[] = [
  ...DESIRED.map((known) => typeOf("town.dev", known)),
  ...WORK.map((known) => typeOf("work.town.dev", known)),
];

function typeOf(group: string, [plural, kind, shortNames, scope, hasScale]: Known): ResourceType {
  return {
    group,
    version: "v1alpha1",
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames,
    categories: [],
    namespaced: scope === "Namespaced",
    verbs: ["get", "list", "watch"],
    subresources: hasScale === true ? ["status", "scale"] : ["status"],
  };
}
