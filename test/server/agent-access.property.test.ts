import { describe, expect, it } from "vitest";
import { KINDS } from "../../src/kinds/index.ts";
import { PERMISSIONS } from "../../src/kinds/role/role.schema.ts";
import { accessOf } from "../../src/resource/agent-access.ts";
import type { Caller } from "../../src/resource/caller.ts";
import type { Verb } from "../../src/resource/verb.ts";
import { type AccessVerb, requireAccess, requireVerbAccess } from "../../src/server/access.ts";
import type { ApiResource } from "../../src/server/api-resource.ts";
import { fc, fuzzRuns } from "../property.ts";

const WRITES: readonly AccessVerb[] = ["create", "update", "patch", "delete", "deletecollection"];

const permissions = fc.subarray([...PERMISSIONS]);
const kind = fc.constantFrom(...KINDS);

function agent(granted: readonly string[]): Caller {
  return {
    name: "api/polecats/toast",
    role: "agent",
    session: { namespace: "api", agent: "toast", generation: 1 },
    permissions: accessOf(granted),
  };
}

function refusal(attempt: () => void): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("what an agent may do through the API", () => {
  it("given any permissions and any kind, when it writes, then only beads and, with ApplyManifests, what is declared in git", () => {
    fc.assert(
      fc.property(permissions, kind, fc.constantFrom(...WRITES), (granted, definition, verb) => {
        const resource = {
          plural: definition.plural,
          group: definition.group,
          namespaced: definition.scope === "Namespaced",
          definition,
        } as unknown as ApiResource;
        const refused = refusal(() => requireAccess(agent(granted), { verb, resource, namespace: "api", name: "x" }));
        const isBeadWrite =
          definition.plural === "beads" &&
          ((verb === "create" && granted.includes("CreateBeads")) ||
            (["update", "patch"].includes(verb) && granted.includes("CloseBeads")));
        const isDeclared = definition.truth === "Desired" && granted.includes("ApplyManifests");
        expect(refused === undefined).toBe(isBeadWrite || isDeclared);
        if (refused === undefined) return;
        const named = PERMISSIONS.filter((permission) => refused.includes(permission));
        expect(named.every((permission) => !granted.includes(permission))).toBe(true);
        expect(refused).toMatch(/town mail send/);
      }),
      { numRuns: fuzzRuns(500) },
    );
  });

  it("given any permissions, when it calls a verb of people, then only what a permission names; of admins, never", () => {
    const verbs = fc.record({
      name: fc.constantFrom("sling", "nudge", "apply", "down", "token create", "suspend", "undo", "mayor"),
      needs: fc.constantFrom("view", "agent", "edit", "admin"),
    });
    fc.assert(
      fc.property(permissions, verbs, (granted, { name, needs }) => {
        const verb = { name, needs, summary: "", run: () => Promise.resolve({ text: "" }) } as Verb;
        const refused = refusal(() => requireVerbAccess(agent(granted), verb));
        const opened: Record<string, string> = { sling: "Sling", nudge: "Nudge", apply: "ApplyManifests" };
        const isOpen = (granted as readonly string[]).includes(opened[name] ?? "none");
        expect(refused === undefined).toBe(needs === "view" || needs === "agent" || isOpen);
      }),
    );
  });
});
