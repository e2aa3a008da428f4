/**
 * What a Role's permissions open in the API, beside what an agent may do with its own hook: `<verb>:<plural>` for a
 * resource, `apply` for every kind declared in git, or the name of a verb.
 */
const OPENED: Readonly<Record<string, readonly string[]>> = {
  CreateBeads: ["create:beads"],
  CloseBeads: ["update:beads", "patch:beads"],
  ApplyManifests: ["apply"],
  Sling: ["sling"],
  Nudge: ["nudge"],
};

/** Role permissions together with what they open. */
export function accessOf(permissions: readonly string[]): readonly string[] {
  return [...permissions, ...permissions.flatMap((permission) => OPENED[permission] ?? [])];
}

/** Why an agent that lacks all of these may not: the permission that would open one of them, or that none does. */
export function missingAccess(wanted: readonly string[]): string {
  const permission = Object.entries(OPENED).find(([, opens]) => opens.some((word) => wanted.includes(word)))?.[0];
  const why = permission === undefined ? "that is for people" : `its role lacks the permission ${permission}`;
  return `${why}; ask with: town mail send overseer -s "…" -m "…"`;
}
