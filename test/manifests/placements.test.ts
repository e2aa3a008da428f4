import { describe, expect, test } from "vitest";
import { loadFile } from "../../src/manifests/load-file.ts";
import { checkPlacements } from "../../src/manifests/placements.ts";
import { problemText } from "../../src/manifests/problem.ts";
import { KINDS } from "../../src/kinds/index.ts";
import { PLACEMENTS } from "../../src/kinds/references.ts";

const load = (path: string, ...documents: readonly string[]) => {
  const { objects, problems } = loadFile(path, documents.join("---\n"), { kinds: KINDS, locals: new Map() });
  expect(problems).toEqual([]);
  return objects;
};
const role = (name: string, scope: string): string =>
  `apiVersion: town.dev/v1alpha1\nkind: Role\nmetadata: {name: ${name}}\nspec: {scope: ${scope}, lifecycle: Persistent, prompt: work}\n`;
const pool = (namespace: string, name: string): string =>
  `apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata: {name: p${namespace === "" ? "" : `, namespace: ${namespace}`}}\nspec: {role: ${name}, provider: shell, replicas: 1}\n`;

const builtin = load("builtin.yaml", role("worker", "Rig"), role("mayor", "Town"));
const problemsOf = (...documents: readonly string[]) =>
  checkPlacements(load("m/a.yaml", ...documents), PLACEMENTS, builtin).map(problemText);

describe("checkPlacements", () => {
  test.each([
    { because: "a rig's role in a rig", documents: [pool("api", "worker")] },
    { because: "a town's role in hq", documents: [pool("hq", "mayor")] },
    { because: "a role that does not exist is told elsewhere", documents: [pool("hq", "nobody")] },
    { because: "a file declares the role anew", documents: [role("worker", "Town"), pool("hq", "worker")] },
  ])("given $because, when checked, then nothing is wrong", ({ documents }) => {
    expect(problemsOf(...documents)).toEqual([]);
  });

  test("given a pool whose namespace was forgotten, or one of the town's in a rig, when checked, then place and fix are named", () => {
    expect(problemsOf(pool("", "worker"), pool("api", "mayor"))).toEqual([
      "m/a.yaml:4:14: `spec.role` names Role 'worker', which is for rigs, and the object is in hq. Write `namespace: RIG` into its metadata.",
      "m/a.yaml:9:14: `spec.role` names Role 'mayor', which is for the town, and the object is in api. Write `namespace: hq` into its metadata.",
    ]);
  });
});
