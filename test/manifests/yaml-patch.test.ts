import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { compareLines } from "../../src/domain/text/line-diff.ts";
import { patchYaml } from "../../src/manifests/yaml-patch.ts";
import { fc, fuzzRuns } from "../property.ts";

const SOURCE = `# The crew of api.
---
# who does it
apiVersion: town.dev/v1alpha1
kind: AgentPool   # a pool
metadata:
  name: "crew"

  namespace:    api
  # for the dashboard
  labels: { team: core, tier: 'one' }  # flow
spec:
  # a comment of the block

  role: crew
  replicas: 1 # one is enough
  # lists
  names:
  - ann    # first
  # the second
  - 'bob'
  env:
    # secrets come from files
    - name: A
      value: x

    # the other
    - name: B   # b
      value: |
        line one

        line two
    - {name: C, value: y}
  note: >-
    folded
    text
  empty:
  # last words
`;

// oxlint-disable-next-line typescript/no-explicit-any -- each row reaches into its own known document
type Data = Record<string, any>;

/** The changed text and its changed lines as a diff. */
function patch(source: string, change: (data: Data) => void) {
  const target = parse(source) as Data;
  change(target);
  const text = patchYaml(source, target);
  expect(parse(text)).toEqual(JSON.parse(JSON.stringify(target)));
  const runs = compareLines(source.split("\n"), text.split("\n"));
  const diff = runs.flatMap((run) =>
    run.kind === "Same" ? [] : run.lines.map((line) => (run.kind === "Added" ? "+" : "-") + line),
  );
  return { text, diff };
}

const changed = (change: (data: Data) => void) => patch(SOURCE, change).diff;

describe("patchYaml", () => {
  test("given no change, when patched, then the text is the same", () => {
    expect(changed(() => {})).toEqual([]);
  });

  test.each<{ because: string; change: (data: Data) => void; expected: string[] }>([
    {
      because: "a number changes",
      change: (data) => (data["spec"].replicas = 3),
      expected: ["-  replicas: 1 # one is enough", "+  replicas: 3 # one is enough"],
    },
    {
      because: "a quoted text changes",
      change: (data) => (data["metadata"].name = "crew2"),
      expected: ['-  name: "crew"', '+  name: "crew2"'],
    },
    {
      because: "an aligned value changes",
      change: (data) => (data["metadata"].namespace = "web"),
      expected: ["-  namespace:    api", "+  namespace:    web"],
    },
    {
      because: "a flow member changes",
      change: (data) => (data["metadata"].labels.tier = "two"),
      expected: ["-  labels: { team: core, tier: 'one' }  # flow", "+  labels: { team: core, tier: 'two' }  # flow"],
    },
    {
      because: "a flow member is added",
      change: (data) => (data["metadata"].labels.x = "1"),
      expected: [
        "-  labels: { team: core, tier: 'one' }  # flow",
        "+  labels: { team: core, tier: 'one', x: \"1\" }  # flow",
      ],
    },
    {
      because: "a flow member goes",
      change: (data) => delete data["metadata"].labels.team,
      expected: ["-  labels: { team: core, tier: 'one' }  # flow", "+  labels: { tier: 'one' }  # flow"],
    },
    {
      because: "all labels go",
      change: (data) => delete data["metadata"].labels,
      expected: ["-  # for the dashboard", "-  labels: { team: core, tier: 'one' }  # flow"],
    },
    { because: "a field is added", change: (data) => (data["spec"].suspend = true), expected: ["+  suspend: true"] },
    {
      because: "a mapping is added",
      change: (data) => (data["spec"].merge = { gates: [{ name: "test", command: "npm test" }], tries: 3 }),
      expected: ["+  merge:", "+    gates:", "+    - name: test", "+      command: npm test", "+    tries: 3"],
    },
    {
      because: "a field goes with its comment",
      change: (data) => delete data["spec"].names,
      expected: ["-  # lists", "-  names:", "-  - ann    # first", "-  # the second", "-  - 'bob'"],
    },
    {
      because: "the first field goes, its comment stays",
      change: (data) => delete data["spec"].role,
      expected: ["-  role: crew"],
    },
    { because: "a list item is added", change: (data) => data["spec"].names.push("eve"), expected: ["+  - eve"] },
    {
      because: "a list item is put first",
      change: (data) => data["spec"].names.unshift("eve"),
      expected: ["+  - eve"],
    },
    {
      because: "a list item goes with its comment",
      change: (data) => data["spec"].names.pop(),
      expected: ["-  # the second", "-  - 'bob'"],
    },
    {
      because: "items change places",
      change: (data) => data["spec"].names.reverse(),
      expected: ["-  - ann    # first", "+  - ann    # first"],
    },
    {
      because: "a named item changes",
      change: (data) => (data["spec"].env[0].value = "z"),
      expected: ["-      value: x", "+      value: z"],
    },
    {
      because: "a named item in flow style changes",
      change: (data) => (data["spec"].env[2].value = "a, b"),
      expected: ["-    - {name: C, value: y}", '+    - {name: C, value: "a, b"}'],
    },
    {
      because: "a named item goes with its comment",
      change: (data) => data["spec"].env.splice(1, 1),
      expected: [
        "-",
        "-    # the other",
        "-    - name: B   # b",
        "-      value: |",
        "-        line one",
        "-",
        "-        line two",
      ],
    },
    {
      because: "a named item is added between",
      change: (data) => data["spec"].env.splice(1, 0, { name: "D", value: "new" }),
      expected: ["+    - name: D", "+      value: new"],
    },
    {
      because: "an item gets a field",
      change: (data) => (data["spec"].env[1].extra = 1),
      expected: ["+      extra: 1"],
    },
    {
      because: "an item's block text changes",
      change: (data) => (data["spec"].env[1].value = "one\ntwo\n"),
      expected: ["-        line one", "-", "-        line two", "+        one", "+        two"],
    },
    {
      because: "a block text becomes a word",
      change: (data) => (data["spec"].env[1].value = "word"),
      expected: ["-      value: |", "-        line one", "-", "-        line two", "+      value: word"],
    },
    {
      because: "a word becomes a block text",
      change: (data) => (data["spec"].role = "a\nb"),
      expected: ["-  role: crew", "+  role: |-", "+    a", "+    b"],
    },
    {
      because: "a commented number becomes a mapping",
      change: (data) => (data["spec"].replicas = { min: 1 }),
      expected: ["-  replicas: 1 # one is enough", "+  replicas: # one is enough", "+    min: 1"],
    },
    {
      because: "a folded text changes",
      change: (data) => (data["spec"].note = "other"),
      expected: ["-  note: >-", "-    folded", "-    text", "+  note: other"],
    },
    {
      because: "an empty value gets one",
      change: (data) => (data["spec"].empty = 5),
      expected: ["-  empty:", "+  empty: 5"],
    },
    { because: "an empty value becomes a list", change: (data) => (data["spec"].empty = ["a"]), expected: ["+  - a"] },
    {
      because: "a list becomes empty",
      change: (data) => (data["spec"].names = []),
      expected: ["-  names:", "-  - ann    # first", "-  # the second", "-  - 'bob'", "+  names: []"],
    },
    {
      because: "a list becomes a word",
      change: (data) => (data["spec"].names = "all"),
      expected: ["-  names:", "-  - ann    # first", "-  # the second", "-  - 'bob'", "+  names: all"],
    },
    {
      because: "several things change at once",
      change: (data) => {
        data["spec"].replicas = 2;
        delete data["spec"].empty;
        data["spec"].more = "x";
        data["metadata"].name = "c";
      },
      expected: [
        '-  name: "crew"',
        '+  name: "c"',
        "-  replicas: 1 # one is enough",
        "+  replicas: 2 # one is enough",
        "-  empty:",
        "+  more: x",
      ],
    },
  ])("given that $because, when patched, then only its lines change", ({ change, expected }) => {
    expect(changed(change)).toEqual(expected);
  });

  test("given CRLF and no final line end, when patched, then both lines and form stay", () => {
    const { text } = patch("a: 1\r\nb:\r\n  - x\r\n  - y", (data) => {
      data["b"].push("z");
      data["c"] = { d: 1 };
    });
    expect(text).toBe("a: 1\r\nb:\r\n  - x\r\n  - y\n  - z\r\nc:\r\n  d: 1\r\n");
  });

  test("given JSON, when patched, then it stays JSON", () => {
    expect(patch('{"a": {"b": 1,\n  "c": [1, 2]},\n "d": "x"}\n', (data) => (data["a"].b = 2)).text).toBe(
      '{"a": {"b": 2,\n  "c": [1, 2]},\n "d": "x"}\n',
    );
  });

  test("given forms that cannot be edited in place, when patched, then the result still says the target", () => {
    patch("? a\n: 1\n? b\n: - x\n", (data) => (data["a"] = 2));
    patch("a:\n  - - 1\n    - 2\n  - - 3\n", (data) => (data["a"][0][1] = 9));
    patch("a:\n  -\n    # x\n    name: n\n    v: 1\n", (data) => delete data["a"][0].name);
    patch("a: [\n  # why\n  x,\n  y\n]\n", (data) => data["a"].push("z"));
  });

  const word = fc.oneof(
    fc.stringMatching(/^[a-z][a-z0-9 ]{0,6}$/),
    fc.constantFrom(
      "yes",
      "null",
      "5",
      "",
      "- x",
      "# c",
      "a: b",
      "l1\nl2",
      "l1\n\n  l2\n",
      " lead",
      "trail ",
      "{x}",
      "'q'",
      '"q"',
      "a\ttab",
      "ü€",
    ),
  );
  const scalar = fc.oneof(word, fc.integer({ min: -5, max: 500 }), fc.boolean(), fc.constant(null));
  const key = fc.constantFrom("a", "b", "c", "name", "town.dev/x", "5", "yes", "long-key");
  const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    any: fc.oneof({ depthSize: "small", withCrossShrink: true }, scalar, tie("map"), tie("list"), tie("named")),
    map: fc.dictionary(key, tie("any"), { maxKeys: 4, noNullPrototype: true }),
    list: fc.array(tie("any"), { maxLength: 4 }),
    named: fc.uniqueArray(fc.record({ name: fc.constantFrom("n1", "n2", "n3", "n4"), v: tie("any") }), {
      maxLength: 4,
      selector: (item) => item.name,
    }),
  })).any;
  const document = fc.dictionary(key, value, { minKeys: 1, maxKeys: 5, noNullPrototype: true });

  test("given any document and any target, when patched, then it says the target and untouched top-level members keep their text", () => {
    fc.assert(
      fc.property(document, document, fc.constantFrom(0, 1, 2), (before, wish, overlap) => {
        const keep = Object.keys(before).slice(0, overlap);
        const target = { ...wish, ...Object.fromEntries(keep.map((name) => [name, before[name]])) };
        const members = Object.entries(before).map(([name, member]) => ({
          name,
          text: `# about ${JSON.stringify(name)}\n${asYaml(name, member)}`,
        }));
        const source = members.map((member) => member.text).join("");
        const text = patchYaml(source, target);
        expect(parse(text)).toEqual(target);
        for (const member of members) if (keep.includes(member.name)) expect(text).toContain(member.text);
      }),
      { numRuns: fuzzRuns(400) },
    );
  });

  test("given any one changed place in a commented document, when patched, then comments elsewhere stay", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          ["spec", "role"],
          ["spec", "replicas"],
          ["spec", "names", "1"],
          ["spec", "env", "0", "value"],
          ["spec", "env", "1"],
          ["spec", "new"],
          ["metadata", "labels", "team"],
        ),
        value.filter((one) => one !== undefined),
        (path, wish) => {
          const { text } = patch(SOURCE, (data) => {
            let at = data;
            for (const part of path.slice(0, -1)) at = at[part] as Data;
            at[path.at(-1) ?? ""] = wish;
          });
          for (const comment of [
            "# The crew of api.",
            "# who does it",
            "# a pool",
            "# for the dashboard",
            "# flow",
            "# a comment of the block",
            "# lists",
            "# secrets come from files",
            "# last words",
          ])
            expect(text).toContain(comment);
        },
      ),
      { numRuns: fuzzRuns(200) },
    );
  });
});

/** A member in block style or, to have both, in flow style. */
function asYaml(name: string, member: unknown): string {
  const text = JSON.stringify(member);
  return text.length % 2 === 0 ? `${JSON.stringify(name)}: ${text}\n` : blockYaml({ [name]: member });
}

function blockYaml(data: unknown): string {
  // Written by hand, so that the patch is not tested with its own renderer alone.
  return `${block(data, 0).replace(/^\n/, "")}\n`;
}

function block(data: unknown, column: number): string {
  const pad = " ".repeat(column);
  if (Array.isArray(data) && data.length > 0)
    return data
      .map(
        (item) =>
          `\n${pad}- ${typeof item === "object" && item !== null && Object.keys(item).length > 0 ? block(item, column + 2).trimStart() : JSON.stringify(item)}`,
      )
      .join("");
  if (typeof data === "object" && data !== null && Object.keys(data).length > 0)
    return Object.entries(data)
      .map(([name, item]) => `\n${pad}${JSON.stringify(name)}:${block(item, column + 2)}`)
      .join("");
  return ` ${JSON.stringify(data)}`;
}
