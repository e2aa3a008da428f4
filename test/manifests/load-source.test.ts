import { describe, expect, test } from "vitest";
import { loadSource } from "../../src/manifests/load-source.ts";
import type { SourceFile } from "../../src/manifests/load-file.ts";
import { ParseCache } from "../../src/manifests/parse-cache.ts";
import { SAMPLE_KINDS, poolText, rigText } from "./sample-kinds.ts";
import { fc, fuzzRuns } from "../property.ts";

const context = { kinds: SAMPLE_KINDS, locals: new Map<string, string>() };
const file = (path: string, text: string): SourceFile => ({ path, content: text, text: () => text });

/** One way to spoil the document that `poolText` writes; `line` is the line of it that must be named (0: any of it). */
interface Spoil {
  readonly because: string;
  readonly spoil: (text: string, word: string, number: number) => string;
  readonly line: number;
}

const SPOILS: readonly Spoil[] = [
  { because: "unknown field", spoil: (text, word) => `${text}  x${word}: 1\n`, line: 9 },
  { because: "unknown top field", spoil: (text, word) => `${text}x${word}: 1\n`, line: 9 },
  {
    because: "out of range",
    spoil: (text, _, number) => text.replace(/replicas: .*/, `replicas: ${201 + number}`),
    line: 8,
  },
  { because: "not a number", spoil: (text, word) => text.replace(/replicas: .*/, `replicas: x${word}`), line: 8 },
  { because: "unknown kind", spoil: (text, word) => text.replace("AgentPool", `X${word}`), line: 2 },
  { because: "bad apiVersion", spoil: (text, word) => text.replace("town.dev/v1alpha1", `x${word}/v1`), line: 1 },
  { because: "bad name", spoil: (text, word) => text.replace(/name: .*/, `name: X_${word}`), line: 4 },
  { because: "bad namespace", spoil: (text, word) => text.replace(/namespace: .*/, `namespace: _${word}`), line: 5 },
  {
    because: "server field",
    spoil: (text) => text.replace("metadata:\n", "metadata:\n  resourceVersion: '1'\n"),
    line: 4,
  },
  { because: "status", spoil: (text, word) => `${text}status:\n  x: ${word}\n`, line: 9 },
  { because: "duplicate key", spoil: (text) => `${text}  role: other\n`, line: 9 },
  { because: "tab", spoil: (text) => text.replace("  replicas", "\treplicas"), line: 8 },
  { because: "open bracket", spoil: (text, word) => text.replace("crew\n  replicas", `[${word}\n  replicas`), line: 0 },
  { because: "open quote", spoil: (text, word) => text.replace(/replicas: .*/, `replicas: "${word}`), line: 0 },
  { because: "anchor", spoil: (text, word) => text.replace("role: ", `role: &a${word} `), line: 7 },
  { because: "tag", spoil: (text, word) => text.replace("role: ", `role: !x${word} `), line: 7 },
  { because: "number key", spoil: (text, _, number) => `${text}  ${number}: 1\n`, line: 9 },
  {
    because: "label no text",
    spoil: (text, _, number) => text.replace("metadata:\n", `metadata:\n  labels: {a: ${number}}\n`),
    line: 4,
  },
  {
    because: "undefined local",
    spoil: (text, word) => text.replace(/replicas: .*/, `replicas: \${local:x${word}}`),
    line: 8,
  },
  {
    because: "secret",
    spoil: (text, word) => text.replace("role: crew", `role: sk-ant-${word}${"a".repeat(20)}`),
    line: 7,
  },
  { because: "list instead of mapping", spoil: (text, word) => text.replace(/[^]*/, `- ${word}\n- b\n`), line: 1 },
  { because: "wrong indentation", spoil: (text) => text.replace("  replicas", "   replicas"), line: 7 },
];

describe("loadSource", () => {
  test("given generated bad documents among good ones, when loaded, then each is refused with its place and none disturbs the others", () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/);
    const bad = fc.record({
      spoil: fc.constantFrom(...SPOILS),
      word,
      number: fc.nat(1000),
      at: fc.nat(4),
      before: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.uniqueArray(bad, { minLength: 1, maxLength: 5, selector: (one) => one.spoil.because }), (bads) => {
        const documents = bads.flatMap(({ spoil, word: text, number, before }, index) => [
          ...Array.from({ length: before }, (_, good) => ({ text: poolText(`good-${index}-${good}`), bad: undefined })),
          { text: spoil.spoil(poolText(`bad-${index}`), text, number), bad: spoil },
        ]);
        let line = 1;
        const starts = documents.map((document) => {
          const start = line + 1;
          line += 1 + document.text.split("\n").length - 1;
          return start;
        });
        const loaded = loadSource(
          [
            file("manifests/all.yaml", documents.map((document) => `---\n${document.text}`).join("")),
            file("manifests/other.yaml", rigText("api")),
          ],
          context,
        );
        const goods = documents.filter((document) => document.bad === undefined).length;
        expect(loaded.objects).toHaveLength(goods + 1);
        for (const [index, document] of documents.entries()) {
          const [start, end] = [starts[index] ?? 0, (starts[index + 1] ?? line + 1) - 1];
          const own = loaded.problems.filter((problem) => problem.line >= start && problem.line <= end);
          if (document.bad === undefined) expect(own).toEqual([]);
          else {
            expect(
              own.map((problem) => problem.severity),
              document.bad.because,
            ).toContain("Error");
            if (document.bad.line > 0)
              expect(
                own.map((problem) => problem.line - start + 1),
                document.bad.because,
              ).toContain(document.bad.line);
            for (const problem of own) expect(problem.message.length).toBeGreaterThan(10);
          }
        }
      }),
      { numRuns: fuzzRuns(200) },
    );
  });

  test("given any text at all, when loaded, then it does not throw and the other file is read", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 300 }),
          fc.string({
            unit: fc.constantFrom(
              "a",
              ":",
              " ",
              "\n",
              "-",
              "[",
              "]",
              "{",
              "}",
              "&",
              "*",
              "!",
              "|",
              ">",
              "'",
              '"',
              "#",
              "%",
              "?",
              ",",
              "\t",
              "kind",
              "metadata",
              "name",
              "---",
            ),
            maxLength: 120,
          }),
        ),
        (text) => {
          const loaded = loadSource([file("a.yaml", text), file("b.yaml", rigText("api"))], context);
          expect(loaded.objects.map((object) => object.origin.path)).toContain("b.yaml");
        },
      ),
      { numRuns: fuzzRuns(500) },
    );
  });

  test("given one object in two files, when loaded, then neither is applied and both places are named", () => {
    const loaded = loadSource(
      [
        file("manifests/b.yml", `# x\n---\n${poolText("crew", 2)}`),
        file("manifests/a.yaml", `${poolText("crew")}---\n${poolText("other")}`),
      ],
      context,
    );
    expect(loaded.objects.map((object) => object.key.name)).toEqual(["other"]);
    expect(
      loaded.problems.map(({ path, line, column, message, key }) => ({ path, line, column, message, name: key?.name })),
    ).toEqual([
      {
        path: "manifests/a.yaml",
        line: 4,
        column: 9,
        message: "AgentPool/api/crew is also declared at manifests/b.yml:3; neither is applied",
        name: "crew",
      },
      {
        path: "manifests/b.yml",
        line: 6,
        column: 9,
        message: "AgentPool/api/crew is also declared at manifests/a.yaml:1; neither is applied",
        name: "crew",
      },
    ]);
  });

  test("given a cache, when the same content is loaded again, then no text is asked for, until a host fact changes", () => {
    const cache = new ParseCache();
    let reads = 0;
    const counted: SourceFile = { path: "a.yaml", content: "blob1", text: () => ((reads += 1), poolText("crew")) };
    const first = loadSource([counted], context, { cache });
    expect(loadSource([counted], context, { cache }).objects[0]).toBe(first.objects[0]);
    expect(reads).toBe(1);
    loadSource([counted], { ...context, locals: new Map([["a", "b"]]) }, { cache });
    expect(reads).toBe(2);
  });

  test("given a file that is edited all night, when it is loaded again and again, then only the last two are held", () => {
    const cache = new ParseCache();
    const other: SourceFile = { path: "b.yaml", content: "b", text: () => poolText("b") };
    for (let edit = 0; edit < 100; edit++) {
      loadSource([{ path: "a.yaml", content: `blob${edit}`, text: () => poolText("a") }, other], context, { cache });
    }
    expect(cache.size).toBe(3);
    expect(cache.find("a.yaml", "blob97", context)).toBeUndefined();
    expect(cache.find("a.yaml", "blob98", context)).toBeDefined();
    expect(cache.find("b.yaml", "b", context)).toBeDefined();
  });
});
