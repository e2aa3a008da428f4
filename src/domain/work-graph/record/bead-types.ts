const aliases: Readonly<Record<string, string>> = {
  enhancement: "feature",
  feat: "feature",
  dec: "decision",
  adr: "decision",
  investigation: "spike",
  timebox: "spike",
  "user-story": "story",
  ms: "milestone",
  mr: "merge-request",
  mol: "molecule",
};

/** Types that are no work to hand out: records of the machinery, and things that are waited for rather than done. */
export const notWorkTypes: ReadonlySet<string> = new Set([
  "merge-request",
  "merge-queue",
  "gate",
  "molecule",
  "message",
  "agent",
  "role",
  "rig",
  "convoy",
  "event",
  "escalation",
]);

/** The type a name stands for: aliases resolved, anything else as it is. */
export function canonicalType(name: string): string {
  return aliases[name] ?? name;
}

export function validTypeName(name: string): boolean {
  return /^[a-z][a-z0-9_-]{0,49}$/.test(name);
}

const infixes: Readonly<Record<string, string>> = { molecule: "mol", convoy: "cv" };

/** Part of a minted id between prefix and hash, as Beads writes it (`bd-mol-x1y`, `bd-wisp-x1y`, `hq-cv-x1y`). */
export function idInfix(type: string, ephemeral: boolean): string | undefined {
  return ephemeral ? "wisp" : infixes[type];
}

/** How long a wisp of a class is kept after its last change, ms; unknown classes 24 h. */
export function wispLifetimeMs(wispType: unknown): number {
  const hour = 3_600_000;
  if (wispType === "heartbeat" || wispType === "ping") return 6 * hour;
  if (wispType === "recovery" || wispType === "error" || wispType === "escalation") return 7 * 24 * hour;
  return 24 * hour;
}
