import { describe, expect, it } from "vitest";
import { z } from "zod";
import { KINDS } from "../../src/kinds/index.ts";
import { customResourceDefinition, undescribedFields } from "../../src/resource/crd.ts";
import { explain } from "../../src/resource/explain.ts";
import { objectSchema, pruned, structuralSchema, unknownFields } from "../../src/resource/json-schema.ts";
import { defineKind } from "../../src/resource/kind-definition.ts";
import { kindRegistry } from "../../src/resource/kind-registry.ts";
import { checkFields } from "../../src/resource/validation.ts";
import { widget } from "../server/widget-town.ts";

const withSpec = (spec: z.ZodType) =>
  defineKind({
    group: "town.dev",
    kind: "X",
    plural: "xs",
    scope: "Cluster",
    truth: "Desired",
    description: "X.",
    spec,
    status: z.object({}),
    columns: [],
  });

describe("custom resource definitions", () => {
  it("given the Widget, when written as a CRD, then schema, columns and subresources are there", async () => {
    await expect(`${JSON.stringify(customResourceDefinition(widget), null, 2)}\n`).toMatchFileSnapshot(
      "golden/widget-crd.json",
    );
  });

  it.each(
    KINDS.filter(({ truth }) => truth === "Desired").map((kind) => [kind.kind, kind] as const),
  )("given %s, when written as a CRD, then it is structural and every field is described", (_name, kind) => {
    expect(() => customResourceDefinition(kind)).not.toThrow();
    expect(undescribedFields(objectSchema(kind))).toEqual([]);
  });

  it.each([
    ["a union", z.object({ a: z.union([z.string(), z.boolean()]) }), "spec.a: 'anyOf' is not allowed"],
    [
      "a discriminated union",
      z.discriminatedUnion("t", [z.object({ t: z.literal("a") }), z.object({ t: z.literal("b") })]),
      "is not allowed",
    ],
  ])("given %s, when written as a CRD, then it is refused with the field", (_name, spec, message) => {
    expect(() => customResourceDefinition(withSpec(spec))).toThrow(
      expect.objectContaining({ reason: "NotStructural", message: expect.stringContaining(message) }),
    );
  });
});

describe("structural schemas", () => {
  it("given zod's ways, when derived, then only what a CRD allows is left", () => {
    const schema = structuralSchema(
      z.strictObject({
        n: z.int(),
        m: z.int().min(1).default(3),
        map: z.record(z.string(), z.int()),
        any: z.unknown(),
        loose: z.looseObject({ a: z.string() }),
        either: z.union([z.int(), z.string()]),
        empty: z.strictObject({}),
        maybe: z.string().nullable(),
      }),
    );
    expect(schema).toEqual({
      type: "object",
      required: ["n", "map", "any", "loose", "either", "empty", "maybe"],
      properties: {
        n: { type: "integer" },
        m: { type: "integer", minimum: 1, default: 3 },
        map: { type: "object", additionalProperties: { type: "integer" } },
        any: { "x-kubernetes-preserve-unknown-fields": true },
        loose: {
          type: "object",
          properties: { a: { type: "string" } },
          required: ["a"],
          "x-kubernetes-preserve-unknown-fields": true,
        },
        either: { "x-kubernetes-int-or-string": true },
        empty: { type: "object", properties: {} },
        maybe: { type: "string", nullable: true },
      },
    });
  });

  it("given an object, when walked, then unknown fields are named by path and pruned, free parts are left alone", () => {
    const schema = objectSchema(widget);
    const body = {
      apiVersion: "a",
      kind: "k",
      metadata: { name: "n", labels: { any: "x" }, nmae: 1 },
      spec: {
        role: "r",
        rol: 1,
        env: [{ name: "A", valu: "1" }],
        settings: { free: "x" },
        extra: { deep: { any: [1] } },
      },
      sepc: {},
    };
    expect(unknownFields(schema, body)).toEqual(["metadata.nmae", "spec.rol", "spec.env[0].valu", "sepc"]);
    const clean = pruned(schema, body);
    expect(unknownFields(schema, clean)).toEqual([]);
    expect(clean).toMatchObject({
      spec: { role: "r", env: [{ name: "A" }], settings: { free: "x" }, extra: { deep: { any: [1] } } },
    });
  });
});

describe("validation", () => {
  it.each([
    [{}, "FieldValueRequired", "spec.role", "Required value"],
    [
      { role: 5 },
      "FieldValueTypeInvalid",
      "spec.role",
      'Invalid value: "integer": spec.role in body must be of type string: "integer"',
    ],
    [
      { role: "r", color: "Green" },
      "FieldValueNotSupported",
      "spec.color",
      'Unsupported value: "Green": supported values: "Red", "Blue"',
    ],
    [
      { role: "r", replicas: -1 },
      "FieldValueInvalid",
      "spec.replicas",
      "Invalid value: -1: must be greater than or equal to 0",
    ],
    [
      { role: "r", env: [{ name: 1 }] },
      "FieldValueTypeInvalid",
      "spec.env[0].name",
      'Invalid value: "integer": spec.env[0].name in body must be of type string: "integer"',
    ],
    [{ role: "r", more: 1 }, "FieldValueInvalid", "spec.more", 'Invalid value: unknown field "more"'],
  ])("given %j, when checked, then %s at %s", (spec, reason, field, message) => {
    expect(checkFields(widget.spec, spec, "spec")).toEqual({ causes: [{ reason, field, message }] });
  });

  it("given a good spec, when checked, then defaults are filled in", () => {
    expect(checkFields(widget.spec, { role: "r" }, "spec")).toEqual({ value: { role: "r", replicas: 1 } });
  });
});

describe("explain", () => {
  it("given the Widget, when explained in full, by field and recursively, then as kubectl would", async () => {
    const texts = [
      explain(widget, "", false),
      explain(widget, "spec.env", false),
      explain(widget, "spec.replicas", false),
      explain(widget, "", true),
    ];
    await expect(`${texts.join("\n\n=====\n\n")}\n`).toMatchFileSnapshot("golden/widget-explain.txt");
  });

  it("given a field that is not there, when explained, then the known ones are named", () => {
    expect(() => explain(widget, "spec.rol", false)).toThrow(
      expect.objectContaining({ code: 404, hint: expect.stringContaining("role") }),
    );
  });
});

describe("the registry", () => {
  it("given kinds that share a name, when registered, then it is refused", () => {
    expect(() => kindRegistry([widget, { ...widget, kind: "Other", plural: "others", singular: "other" }])).toThrow(
      expect.objectContaining({ reason: "KindRegisteredTwice" }),
    );
    expect(() => kindRegistry([widget, widget])).toThrow(expect.objectContaining({ reason: "KindRegisteredTwice" }));
  });

  it("given all kinds of the town, when registered, then names are unique", () => {
    expect(kindRegistry(KINDS).kinds.length).toBe(KINDS.length);
  });
});
