import { describe, expect, it } from "vitest";
import { duplicateFields } from "../../src/server/duplicate-fields.ts";
import { call, WIDGETS, widgetTown } from "./widget-town.ts";
import { fc } from "../property.ts";

describe("fields stated more than once", () => {
  it.each([
    ['{"a":1,"a":2}', ["a"]],
    ['{"a":{"b":1,"b":[],"c":{"c":1}},"a":2}', ["a.b", "a"]],
    ['{"l":[{"x":1},{"x":1,"x":2},[],{"x":1}]}', ["l[1].x"]],
    [String.raw`{"a\"":1,"a\u0022":{"}":",","]":":"}}`, ['a"']],
    ['{"a":"a","b":"a"}', []],
    ["[1,2]", []],
    ['{"a":1,"a":1,"a":1}', ["a"]],
  ])("given %s, when looked at, then they are %j", (text, expected) => {
    expect(duplicateFields(text)).toEqual(expected);
  });

  it("given any JSON that was written from a value, when looked at, then it has none", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(duplicateFields(JSON.stringify(value, null, 1))).toEqual([]);
      }),
    );
  });

  it("given a body with a doubled field, when written, then Strict refuses it, Warn says so and Ignore is silent", async () => {
    const { api, store } = await widgetTown();
    const body = (name: string) =>
      `{"apiVersion":"town.dev/v1alpha1","kind":"Widget","metadata":{"name":"${name}"},"spec":{"role":"a","role":"b"}}`;
    const strict = await call(api, "POST", `${WIDGETS}?fieldValidation=Strict`, body("one"));
    expect([strict.code, strict.body.message]).toEqual([
      400,
      'Widget in version "v1alpha1" cannot be handled as a Widget: strict decoding error: duplicate field "spec.role"',
    ]);
    const warned = await call(api, "POST", WIDGETS, body("one"));
    expect([warned.code, warned.headers.get("warning")]).toEqual([
      201,
      String.raw`299 - "duplicate field \"spec.role\""`,
    ]);
    const ignored = await call(api, "POST", `${WIDGETS}?fieldValidation=Ignore`, body("two"));
    expect([ignored.code, ignored.headers.get("warning")]).toEqual([201, null]);
    expect(store.get({ kind: "Widget", namespace: "api", name: "two" })?.spec["role"]).toBe("b");
    const patched = await call(
      api,
      "PATCH",
      `${WIDGETS}/one?fieldValidation=Strict`,
      '{"spec":{"replicas":1,"replicas":2}}',
      {
        "content-type": "application/merge-patch+json",
      },
    );
    expect([patched.code, patched.body.message]).toEqual([
      400,
      expect.stringContaining('duplicate field "spec.replicas"'),
    ]);
  });

  it("given HEAD, when sent, then documents answer without a body and objects do not have it, as in Kubernetes", async () => {
    const { api } = await widgetTown();
    expect(await call(api, "HEAD", "/version")).toMatchObject({ code: 200, text: "" });
    expect(await call(api, "HEAD", "/openapi/v3")).toMatchObject({ code: 200, text: "" });
    expect(await call(api, "HEAD", WIDGETS)).toMatchObject({ code: 405, text: "" });
  });
});
