import { describe, expect, test } from "vitest";
import { loadFile } from "../../src/manifests/load-file.ts";
import { problemText } from "../../src/manifests/problem.ts";
import { SAMPLE_KINDS, poolText, rigText } from "./sample-kinds.ts";

const context = {
  kinds: SAMPLE_KINDS,
  locals: new Map<string, string | number | boolean>([
    ["apiPath", "/home/me/api"],
    ["slots", 3],
  ]),
};
const load = (text: string) => loadFile("manifests/a.yaml", text, context);
const texts = (text: string) => load(text).problems.map(problemText);

describe("loadFile", () => {
  test("given two good documents, when loaded, then both come with key, defaults, stated document and line", () => {
    const file = load(`# town\n---\n${rigText("api")}---\n${poolText("crew", 2)}`);
    expect(file.problems).toEqual([]);
    expect(file.objects.map((object) => [object.key, object.origin.line])).toEqual([
      [{ kind: "Rig", name: "api" }, 3],
      [{ kind: "AgentPool", namespace: "api", name: "crew" }, 10],
    ]);
    expect(file.objects[1]?.spec).toEqual({ role: "crew", provider: "shell", replicas: 2, suspend: false });
    expect(file.objects[1]?.stated.spec).toEqual({ role: "crew", replicas: 2 });
  });

  test("given a namespaced kind without namespace, when loaded, then it is in hq", () => {
    expect(load(poolText("crew").replace("  namespace: api\n", "")).objects[0]?.key).toEqual({
      kind: "AgentPool",
      namespace: "hq",
      name: "crew",
    });
  });

  test("given local values, when loaded, then they are filled in with their type and the stated document keeps the reference", () => {
    const file = load(
      `${rigText("api").replace("/repos/api", () => '"${local:apiPath}/x $${local:no}"')}---\n${poolText("crew").replace("replicas: 1", "replicas: ${local:slots}")}`,
    );
    expect(file.problems).toEqual([]);
    expect(file.objects[0]?.spec["path"]).toBe("/home/me/api/x ${local:no}");
    expect(file.objects[1]?.spec["replicas"]).toBe(3);
    expect(file.objects[1]?.stated.spec?.["replicas"]).toBe("${local:slots}");
  });

  test.each([
    {
      because: "a field has a typo",
      from: "replicas: 1",
      to: "replica: 1",
      expected: ["manifests/a.yaml:8:3: `spec.replica` is not a field of AgentPool. Did you mean `replicas`?"],
    },
    {
      because: "a number is out of range",
      from: "replicas: 1",
      to: "replicas: -1",
      expected: ["manifests/a.yaml:8:13: `spec.replicas` must be greater than or equal to 0."],
    },
    {
      because: "a number is text",
      from: "replicas: 1",
      to: 'replicas: "one"',
      expected: ["manifests/a.yaml:8:13: `spec.replicas` must be a number, not 'one'."],
    },
    {
      because: "a list item is wrong",
      from: "replicas: 1",
      to: "replicas: 1\n  names: [a, B]",
      expected: ["manifests/a.yaml:9:14: `spec.names[1]` must be lower-case letters."],
    },
    {
      because: "a union fits nothing",
      from: "replicas: 1",
      to: "replicas: 1\n  quota: true",
      expected: ["manifests/a.yaml:9:10: `spec.quota` must be text or a number, not true."],
    },
    {
      because: "text holds what YAML takes for a key",
      from: "role: crew",
      to: "role: crew: all of it",
      expected: [
        "manifests/a.yaml:7:9: a value holds ': ', which YAML reads as another key. Put the value into quotes.",
      ],
    },
    {
      because: "a line is indented more than the one before it",
      from: "  namespace: api",
      to: "    namespace: api",
      expected: [
        "manifests/a.yaml:4:9: the lines below are indented as if they belonged to this value. Let keys of one mapping begin in the same column.",
      ],
    },
    {
      because: "the kind has a typo",
      from: "AgentPool",
      to: "AgentPol",
      expected: ["manifests/a.yaml:2:7: `kind` 'AgentPol' is not known. Did you mean `AgentPool`?"],
    },
    {
      because: "the kind is not declarable",
      from: "AgentPool",
      to: "Bead",
      expected: [
        "manifests/a.yaml:2:7: `kind` Bead must not be declared in a file: its truth is in the work graph. Remove the document.",
      ],
    },
    {
      because: "the version is wrong",
      from: "v1alpha1",
      to: "v1",
      expected: [
        "manifests/a.yaml:1:13: `apiVersion` must be 'town.dev/v1alpha1' for AgentPool. Write `apiVersion: town.dev/v1alpha1`.",
      ],
    },
    {
      because: "the name is no RFC 1123 name",
      from: "name: crew",
      to: "name: Crew_1",
      expected: [
        "manifests/a.yaml:4:9: `metadata.name` 'Crew_1' must be lower-case letters, digits, '-' and '.', at most 253 characters, starting and ending with a letter or digit. Choose another name.",
      ],
    },
    {
      because: "a server field is in the file",
      from: "  name: crew",
      to: "  name: crew\n  uid: abc",
      expected: [
        "manifests/a.yaml:5:3: `metadata.uid` must not be in a file: the server keeps it. Remove it; `town export` writes objects without such fields.",
      ],
    },
    {
      because: "a status is in the file",
      from: "spec:",
      to: "status: {}\nspec:",
      expected: ["manifests/a.yaml:6:1: `status` must not be in a file: the server keeps it. Remove it."],
    },
    {
      because: "a spec field is at the top",
      from: "spec:",
      to: "suspend: true\nspec:",
      expected: ["manifests/a.yaml:6:1: `suspend` is not a field of AgentPool. Fields of the kind belong in `spec`."],
    },
    {
      because: "a label value is no text",
      from: "  name: crew",
      to: "  name: crew\n  labels: {a: 1}",
      expected: ['manifests/a.yaml:5:15: `metadata.labels.a` must be text. Quote it: "1".'],
    },
    {
      because: "the prune annotation has a typo",
      from: "  name: crew",
      to: "  name: crew\n  annotations: {town.dev/prune: disable}",
      expected: [
        "manifests/a.yaml:5:33: `metadata.annotations[\"town.dev/prune\"]` must be 'disabled'. Write `disabled` to keep the object when its document goes, or remove the annotation.",
      ],
    },
    {
      because: "a local value is not defined",
      from: "replicas: 1",
      to: "replicas: ${local:slot}",
      expected: [
        "manifests/a.yaml:8:13: `spec.replicas` uses ${local:slot}, which town.local.yaml does not define. Did you mean `slots`?",
      ],
    },
    {
      because: "a key is set twice",
      from: "replicas: 1",
      to: "replicas: 1\n  replicas: 2",
      expected: ["manifests/a.yaml:9:3: `replicas` must be set once in the same mapping. Remove one of them."],
    },
    {
      because: "a tab indents",
      from: "  replicas: 1",
      to: "\treplicas: 1",
      expected: [expect.stringContaining("manifests/a.yaml:8:1: a tab is used as indentation")],
    },
    {
      because: "an anchor is used",
      from: "role: crew",
      to: "role: &r crew",
      expected: [expect.stringContaining("manifests/a.yaml:7:12: the anchor '&r' must not be used")],
    },
    {
      because: "a custom tag is used",
      from: "role: crew",
      to: "role: !env crew",
      expected: [expect.stringContaining("the tag '!env' must not be used")],
    },
    {
      because: "binary is used",
      from: "role: crew",
      to: "role: !!binary aGk=",
      expected: [expect.stringContaining("the tag 'tag:yaml.org,2002:binary' must not be used")],
    },
    {
      because: "a key is no text",
      from: "replicas: 1",
      to: "replicas: 1\n  7: x",
      expected: ["manifests/a.yaml:9:3: the key '7' must be text. Quote it: \"7\"."],
    },
    {
      because: "a number is not finite",
      from: "replicas: 1",
      to: "replicas: .inf",
      expected: [expect.stringContaining("'.inf' must be a finite number")],
    },
  ])("given that $because, when loaded, then the place and the fix are named", ({ from, to, expected }) => {
    const file = load(poolText("crew").replace(from, to));
    expect(file.objects).toEqual([]);
    expect(file.problems.map(problemText)).toEqual(expected);
  });

  test("given fields in the wrong mapping, when loaded, then the hint says where they belong", () => {
    expect(texts(rigText("api").replace("path:", "gates: []\n  path:"))).toEqual([
      "manifests/a.yaml:6:3: `spec.gates` is not a field of Rig. It belongs in `spec.merge`.",
    ]);
  });

  test("given a wrong enum value, when loaded, then the nearest is suggested", () => {
    expect(texts(`${rigText("api")}  dependencyMeans: merged\n`)).toEqual([
      "manifests/a.yaml:7:20: `spec.dependencyMeans` must be one of 'Merged', 'Closed', not 'merged'. Did you mean `Merged`?",
    ]);
  });

  test.each([
    "hq",
    "default",
    "overseer",
    "kube-system",
  ])("given a Rig called %s, when loaded, then the name is refused", (name) => {
    expect(texts(rigText(name))[0]).toContain("which are reserved");
  });

  test("given a namespace on a cluster-scoped kind, when loaded, then it is refused", () => {
    expect(texts(rigText("api").replace("name: api", "name: api\n  namespace: api"))[0]).toContain(
      "Rig belongs to no namespace",
    );
  });

  test("given an anchor bomb, when loaded, then it is refused without being unfolded", () => {
    const levels = Array.from(
      { length: 12 },
      (_, index) => `k${index + 1}: &a${index + 1} [${Array.from({ length: 10 }, () => `*a${index}`).join(", ")}]`,
    );
    const [first] = texts(`kind: Rig\nk0: &a0 x\n${levels.join("\n")}\n`);
    expect(first).toContain("the anchor '&a0' must not be used");
  });

  test.each([
    "[",
    "{a: ",
    "- ",
    "? ",
  ])("given %s repeated 100,000 times, when loaded, then it is refused and the process lives", (opening) => {
    const file = load(`a: 1\n---\n${opening.repeat(100_000)}\n---\n${poolText("crew")}`);
    expect(file.problems.map((problem) => problem.reason)).toContain("NestedTooDeeply");
    expect(file.objects).toHaveLength(1);
  });

  test("given a file over the limit, NULs or bad UTF-8, when loaded, then the file is refused", () => {
    expect(load(`# ${"x".repeat(1024 * 1024)}`).problems[0]?.reason).toBe("FileTooLarge");
    expect(load("a: b\nc: \0").problems[0]).toMatchObject({ reason: "FileNotText", line: 2, column: 4 });
    expect(load("a: \ufffd").problems[0]?.reason).toBe("FileNotText");
  });

  test("given broken syntax, when loaded, then the object it seems to declare is named so that its last good version stays", () => {
    const file = load(poolText("crew").replace("replicas: 1", "replicas: [1"));
    expect(file.problems).toHaveLength(1);
    expect(file.problems[0]?.key).toEqual({ kind: "AgentPool", namespace: "api", name: "crew" });
    expect(
      load(`kind: Rig\nmetadata: # meta\n  labels:\n    a: b\n  name: "api" # the api\nspec: {\n`).problems[0]?.key,
    ).toEqual({ kind: "Rig", name: "api" });
  });

  test.each([
    ["API_TOKEN", "ghp_0123456789012345678901234567890123"],
    ["OPENAI_KEY", "sk-proj-abcdefghijklmnop1234"],
    ["DB_PASSWORD", "hunter2hunter2hunter2"],
  ])("given a value of %s that looks like a secret, when loaded, then it is refused and not repeated", (name, value) => {
    const [problem] = load(`${rigText("api")}  env:\n    - name: ${name}\n      value: ${value}\n`).problems;
    expect(problem).toMatchObject({ reason: "SecretInFile", line: 9, column: 14 });
    expect(problem && problemText(problem)).not.toContain(value);
    expect(problem?.hint).toContain("valueFrom");
  });

  test("given values that only resemble secrets, when loaded, then they pass", () => {
    expect(
      load(
        `${rigText("api")}  env:\n    - {name: TOKEN_FILE, value: /run/secrets/token1}\n    - {name: API_KEY, value: "\${local:apiPath}"}\n    - {name: PASSWORD, value: changeme}\n`,
      ).problems,
    ).toEqual([]);
  });

  test("given an end marker, when more follows, then it is a document of its own", () => {
    expect(load(`${poolText("a")}...\n${poolText("b")}`).objects.map((object) => object.key.name)).toEqual(["a", "b"]);
  });

  test("given CRLF and a byte order mark, when loaded, then the file is read", () => {
    expect(
      load(`\ufeff${poolText("a")}---\n${poolText("b")}`.replaceAll("\n", "\r\n")).objects.map(
        (object) => object.key.name,
      ),
    ).toEqual(["a", "b"]);
  });
});
