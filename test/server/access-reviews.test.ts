import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import { messageField, textField } from "../../src/server/protobuf.ts";
import { call, widgetTown } from "./widget-town.ts";

const ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
const WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const { api } = await widgetTown();

async function canI(token: string, spec: unknown): Promise<{ allowed: boolean; reason?: string }> {
  const { code, body } = await call(api, "POST", ACCESS, { spec }, { authorization: `Bearer ${token}` });
  expect(code).toBe(201);
  return body.status as unknown as { allowed: boolean; reason?: string };
}

const resource = (verb: string, group: string, plural: string, more: object = {}) => ({
  resourceAttributes: { namespace: "api", verb, group, resource: plural, ...more },
});

describe("access reviews", () => {
  it.each([
    ["view", "get", "town.dev", "widgets", {}, true],
    ["view", "create", "town.dev", "widgets", {}, false],
    ["edit", "create", "town.dev", "widgets", {}, true],
    ["edit", "patch", "town.dev", "widgets", { subresource: "scale" }, true],
    ["edit", "patch", "town.dev", "rigs", { subresource: "scale" }, false],
    ["edit", "delete", "town.dev", "rigs", {}, false],
    ["admin", "delete", "town.dev", "rigs", {}, true],
    ["admin", "*", "*", "*", {}, true],
    ["edit", "*", "*", "*", {}, false],
    ["admin", "*", "town.dev", "widgets", {}, true],
    ["admin", "delete", "", "pods", {}, false],
    ["admin", "get", "", "pods", { subresource: "log" }, true],
    ["admin", "create", "", "pods", { subresource: "exec" }, false],
    ["admin", "get", "", "nodes", {}, false],
    ["admin", "impersonate", "town.dev", "widgets", {}, false],
    ["agent", "create", "work.town.dev", "chores", {}, true],
    ["agent", "create", "town.dev", "widgets", {}, false],
    ["view", "create", "authorization.k8s.io", "selfsubjectaccessreviews", {}, true],
  ])("given the role %s, when it asks for %s of %s/%s %j, then the answer is what a request would get", async (token, verb, group, plural, more, allowed) => {
    const status = await canI(token, resource(verb, group, plural, more));
    expect(status).toMatchObject({ allowed, ...(allowed ? {} : { reason: expect.stringMatching(/.{10}/) }) });
  });

  it("given paths without a resource, when asked for, then those that are served may be read", async () => {
    const path = (name: string, verb = "get") => ({ nonResourceAttributes: { path: name, verb } });
    expect((await canI("view", path("/healthz"))).allowed).toBe(true);
    expect((await canI("view", path("/openapi/v3"))).allowed).toBe(true);
    expect((await canI("admin", path("/logs"))).allowed).toBe(false);
    expect((await canI("admin", path("/healthz", "post"))).allowed).toBe(false);
    expect((await call(api, "POST", ACCESS, { spec: {} })).code).toBe(400);
  });

  it("given protobuf bodies as kubectl 1.32 sends them, when posted, then they are read", async () => {
    const envelope = (kind: string, ...spec: readonly Uint8Array[]) =>
      Buffer.concat([
        Buffer.from("k8s\0"),
        messageField(1, textField(1, "authorization.k8s.io/v1"), textField(2, kind)),
        messageField(2, messageField(1), messageField(2, ...spec)),
      ]);
    const post = (path: string, body: Buffer) =>
      api.app.request(`http://localhost${path}`, {
        method: "POST",
        headers: { authorization: "Bearer edit", "content-type": "application/vnd.kubernetes.protobuf" },
        body: new Uint8Array(body),
      });
    const asked = envelope(
      "SelfSubjectAccessReview",
      messageField(1, textField(1, "api"), textField(2, "create"), textField(3, "town.dev"), textField(5, "widgets")),
    );
    const answer = await post(ACCESS, asked);
    expect([answer.status, await answer.json()]).toMatchObject([
      201,
      {
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes: { namespace: "api", verb: "create", group: "town.dev", resource: "widgets" } },
        status: { allowed: true },
      },
    ]);
    expect((await post(WHO, envelope("SelfSubjectReview"))).status).toBe(201);
    expect((await post(WHO, asked)).status).toBe(400);
    expect((await post(ACCESS, Buffer.from("k8s\0\xff\xff\xff"))).status).toBe(400);
    expect((await post(ACCESS, Buffer.from("nothing"))).status).toBe(400);
    expect((await post(ACCESS, asked.subarray(0, asked.length - 3))).status).toBe(400);
  });

  it("given a caller, when it asks who it is and what it may do, then it is told", async () => {
    const who = await call(api, "POST", WHO, {}, { authorization: "Bearer view" });
    expect(who.body.status).toEqual({
      userInfo: { username: "vera@example.org", groups: ["system:authenticated", "town:view"] },
    });
    const rules = async (token: string) =>
      (await call(api, "POST", RULES, { spec: { namespace: "api" } }, { authorization: `Bearer ${token}` })).body
        .status as unknown as { resourceRules: { verbs: string[]; apiGroups: string[]; resources: string[] }[] };
    const verbsOn = async (token: string, plural: string) =>
      (await rules(token)).resourceRules
        .filter(({ resources }) => resources.includes(plural))
        .flatMap(({ verbs }) => verbs);
    expect(await verbsOn("view", "widgets")).toEqual(["get", "list", "watch"]);
    expect(await verbsOn("edit", "widgets")).toContain("create");
    expect(await verbsOn("edit", "rigs")).toEqual(["get", "list", "watch"]);
    expect(await verbsOn("admin", "rigs")).toContain("delete");
    expect(await verbsOn("agent", "chores")).toEqual(["create", "get", "list", "watch"]);
    expect(await verbsOn("admin", "widgets/scale")).toEqual(["get", "patch", "update"]);
  });

  it("given another method or another review, when asked for, then the answer says what there is", async () => {
    expect((await call(api, "GET", ACCESS)).code).toBe(405);
    expect((await call(api, "GET", `${ACCESS}?watch=true`)).code).toBe(405);
    expect((await call(api, "DELETE", `${ACCESS}/x`)).code).toBe(405);
    const other = await call(api, "POST", "/apis/authentication.k8s.io/v1/tokenreviews", {});
    expect([other.code, other.body.message]).toEqual([404, expect.stringContaining("kubectl auth can-i")]);
  });
});
