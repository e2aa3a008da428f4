import { describe, expect, test } from "vitest";
import { loadSource } from "../../src/manifests/load-source.ts";
import { compareSources, differenceText } from "../../src/manifests/object-diff.ts";
import { SAMPLE_KINDS, poolText, rigText } from "./sample-kinds.ts";

const source = (files: Readonly<Record<string, string>>) =>
  loadSource(
    Object.entries(files).map(([path, text]) => ({ path, content: text, text: () => text })),
    { kinds: SAMPLE_KINDS, locals: new Map() },
  );

describe("compareSources", () => {
  test("given changes of every sort, when compared, then the text is a unified diff per object and the code is 1", () => {
    const before = source({ "a.yaml": poolText("crew"), "b.yaml": rigText("old"), "c.yaml": poolText("moved") });
    const after = source({
      "a.yaml": poolText("crew", 3).replace(
        "  role: crew\n  replicas: 3\n",
        "  replicas: 3\n  role: crew # order does not count\n",
      ),
      "n.yaml": rigText("new"),
      "x/c.yaml": poolText("moved"),
    });
    const difference = compareSources(before, after);
    expect(difference.exitCode).toBe(1);
    expect(differenceText(difference)).toBe(`--- AgentPool/api/crew	a.yaml
+++ AgentPool/api/crew	a.yaml
@@ -5,4 +5,4 @@
   namespace: api
 spec:
   role: crew
-  replicas: 1
+  replicas: 3
moved AgentPool/api/moved: c.yaml → x/c.yaml
--- /dev/null
+++ Rig/new	n.yaml
@@ -0,0 +1,6 @@
+apiVersion: town.dev/v1alpha1
+kind: Rig
+metadata:
+  name: new
+spec:
+  path: /repos/new
--- Rig/old	b.yaml
+++ /dev/null
@@ -1,6 +0,0 @@
-apiVersion: town.dev/v1alpha1
-kind: Rig
-metadata:
-  name: old
-spec:
-  path: /repos/old
`);
  });

  test("given only moves and comments, when compared, then the code is 0", () => {
    expect(
      compareSources(source({ "a.yaml": poolText("crew") }), source({ "b.yaml": `# x\n${poolText("crew")}` })).exitCode,
    ).toBe(0);
  });

  test("given a file that became unreadable, when compared, then its object is not shown as deleted and the code is 2", () => {
    const difference = compareSources(
      source({ "a.yaml": poolText("crew") }),
      source({ "a.yaml": poolText("crew").replace("replicas: 1", "replicas: -1") }),
    );
    expect(difference.exitCode).toBe(2);
    expect(differenceText(difference)).toBe(
      "unreadable AgentPool/api/crew: the version of a.yaml stays in force\na.yaml:8:13: `spec.replicas` must be greater than or equal to 0.\n",
    );
  });
});
