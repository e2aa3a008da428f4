import { describe, expect, it } from "vitest";
import { jsonPathText, jsonPathValues } from "../../../src/cli/output/json-path.ts";

// The examples of https://kubernetes.io/docs/reference/kubectl/jsonpath/, with its input, and the corners around them.
const INPUT = {
  kind: "List",
  items: [
    {
      kind: "None",
      metadata: { name: "127.0.0.1", labels: { "kubernetes.io/hostname": "127.0.0.1" } },
      status: { capacity: { cpu: "4" }, addresses: [{ type: "LegacyHostIP", address: "127.0.0.1" }] },
    },
    {
      kind: "None",
      metadata: { name: "127.0.0.2" },
      status: {
        capacity: { cpu: "8" },
        ready: true,
        count: 3,
        addresses: [
          { type: "LegacyHostIP", address: "127.0.0.2" },
          { type: "another", address: "127.0.0.3" },
        ],
      },
    },
  ],
  users: [
    { name: "myself", user: {} },
    { name: "e2e", user: { username: "admin", password: "secret" } },
  ],
};

const CASES: readonly (readonly [template: string, text: string])[] = [
  ["the kind is {.kind}", "the kind is List"],
  ["{@.kind}", "List"],
  ["{$.kind}", "List"],
  ["{.kind}", "List"],
  ["{['kind']}", "List"],
  ["{..name}", "127.0.0.1 127.0.0.2 myself e2e"],
  ["{.items[*].metadata.name}", "127.0.0.1 127.0.0.2"],
  ["{.users[0].name}", "myself"],
  ["{.users[-1].name}", "e2e"],
  ["{.items[0:1].metadata.name}", "127.0.0.1"],
  ["{.items[-1:].metadata.name}", "127.0.0.2"],
  ["{.items[0,1].metadata.name}", "127.0.0.1 127.0.0.2"],
  ["{.items[*]['metadata.name', 'status.capacity']}", '127.0.0.1 {"cpu":"4"} 127.0.0.2 {"cpu":"8"}'],
  ['{.users[?(@.name=="e2e")].user.password}', "secret"],
  ['{.items[*].status.addresses[?(@.type!="another")].address}', "127.0.0.1 127.0.0.2"],
  ["{.items[?(@.status.count>2)].metadata.name}", "127.0.0.2"],
  ["{.items[?(@.status.ready==true)].metadata.name}", "127.0.0.2"],
  ["{.items[?(@.status.ready)].metadata.name}", "127.0.0.2"],
  [
    "{range .items[*]}[{.metadata.name}, {.status.capacity}] {end}",
    '[127.0.0.1, {"cpu":"4"}] [127.0.0.2, {"cpu":"8"}] ',
  ],
  ['{range .items[*]}{.metadata.name}{"\\t"}{end}', "127.0.0.1\t127.0.0.2\t"],
  ["{range .items[*]}{range .status.addresses[*]}{.address};{end}|{end}", "127.0.0.1;|127.0.0.2;127.0.0.3;|"],
  ["{.items[0].metadata.labels.kubernetes\\.io/hostname}", "127.0.0.1"],
  ["{.items[0].metadata.labels['kubernetes.io/hostname']}", "127.0.0.1"],
  ['{"a }{ quoted"}', "a }{ quoted"],
  ["{.users[1].user.*}", "admin secret"],
  ["{.nothing.at.all}", ""],
  ["{.items[9].kind}", ""],
  ["plain", "plain"],
];

describe("jsonPathText", () => {
  for (const [template, text] of CASES) {
    it(`given ${template}, when rendered, then it is ${JSON.stringify(text)}`, () => {
      expect(jsonPathText(template, INPUT)).toBe(text);
    });
  }

  for (const template of [
    "{.a",
    "{range .items[*]}x",
    "{end}",
    "{.items[x]}",
    "{.items[]}",
    "{items}",
    "{.items[?(@.a==b)]}",
    "{.a]}",
    "{.items[?@.a]}",
  ]) {
    it(`given the broken template ${template}, when rendered, then the error names it`, () => {
      expect(() => jsonPathText(template, INPUT)).toThrow(template);
    });
  }
});

describe("jsonPathValues", () => {
  it("given a path in any spelling, when followed, then the values are the same", () => {
    for (const path of [".kind", "{.kind}", "kind", "$.kind", " {.kind} "])
      expect(jsonPathValues(path, INPUT)).toEqual(["List"]);
    expect(jsonPathValues(".items[*].status.count", INPUT)).toEqual([3]);
  });
});
