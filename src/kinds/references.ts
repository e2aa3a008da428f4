/** Fields that name other objects; dangling ones are reported with their place. */
export const REFERENCES = [
  { from: "AgentPool", path: "role", to: "Role", namespace: "Cluster" },
  { from: "AgentPool", path: "provider", to: "Provider", namespace: "Cluster" },
  { from: "Convoy", path: "items[].rig", to: "Rig", namespace: "Cluster" },
  { from: "Patrol", path: "role", to: "Role", namespace: "Cluster" },
  { from: "Plugin", path: "role", to: "Role", namespace: "Cluster" },
  { from: "Source", path: "dependsOn[]", to: "Source", namespace: "Cluster", orders: true },
] as const;

/** What belongs into `hq` or into a rig by the scope of what it names; the loops refuse it there, too. */
export const PLACEMENTS = [{ from: "AgentPool", field: "role", to: "Role" }] as const;
