import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { nodeRandom } from "../../src/adapters/node-random.ts";
import { nodeMachineUse } from "../../src/adapters/sessions/node-machine-use.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import type { TownObject } from "../../src/resource/object-meta.ts";
import { ensureCertificates } from "../../src/server/certificates.ts";
import { writeKubeconfig } from "../../src/server/kubeconfig.ts";
import { type Listener, listenTls } from "../../src/server/listen.ts";
import type { LogRequest } from "../../src/server/pod-logs.ts";
import { kubectlPrograms } from "../kubectl/kubectl-programs.ts";
import { cells, Kubectl } from "../kubectl/kubectl-run.ts";
import { ORIGIN } from "../store/a-store.ts";
import { type WidgetTown, widgetTown } from "./widget-town.ts";

let directory: string;
let town: WidgetTown;
let listener: Listener;
let kubectlPath: string;
let calls = 0;

/** Runs kubectl with a HOME, and so a discovery cache, of its own. */
function program(): Kubectl {
  calls += 1;
  return new Kubectl(kubectlPath, {
    PATH: process.env["PATH"] ?? "",
    HOME: join(directory, `home-${calls}`),
    KUBECONFIG: join(directory, "config"),
    TERM: "dumb",
  });
}

const kubectl: Kubectl["run"] = (args, options) => program().run(args, options);
const ok: Kubectl["ok"] = (args, options) => program().ok(args, options);

const manifest = (name: string, spec = "{role: polish, replicas: 2}", metadata = "") =>
  `apiVersion: town.dev/v1alpha1\nkind: Widget\nmetadata: {name: ${name}${metadata}}\nspec: ${spec}\n`;

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

const key = (name: string) => ({ kind: "Widget", namespace: "api", name });
const declare = (name: string, more: object = {}) =>
  town.store.declare(key(name), { spec: { role: "polish", replicas: 2 }, origin: ORIGIN, ...more });
async function* output(_session: TownObject, request: LogRequest) {
  for (const text of ["one", "two", "three"].slice(-(request.tailLines ?? 3)))
    yield { text, timeMs: systemClock.now() };
  if (!request.follow) return;
  await systemClock.sleep(50, request.signal);
  yield { text: "live", timeMs: systemClock.now() };
}

describe.each(kubectlPrograms())("kubectl 1.$minor", ({ path, minor }) => {
  beforeAll(async () => {
    kubectlPath = path;
    directory = await mkdtemp(join(tmpdir(), "town-kubectl-"));
    const files = createNodeFiles();
    const certificates = await ensureCertificates({
      files,
      directory: join(directory, "tls"),
      clock: systemClock,
      random: nodeRandom,
    });
    const logs = {
      lines: async (session: TownObject, request: LogRequest) =>
        request.previous ? undefined : output(session, request),
    };
    town = await widgetTown({
      store: { clock: systemClock, random: nodeRandom },
      api: { clock: systemClock, random: nodeRandom, logs, machine: nodeMachineUse(systemClock) },
    });
    listener = await listenTls(town.api, { port: 0, identity: certificates });
    const entry = {
      name: "town",
      server: `https://127.0.0.1:${listener.address}`,
      certificateAuthority: certificates.certificateAuthority,
      namespace: "api",
    };
    await writeKubeconfig(files, join(directory, "config"), { ...entry, token: "admin" });
    await writeKubeconfig(files, join(directory, "view-config"), { ...entry, token: "view" });
    await writeKubeconfig(files, join(directory, "wrong-config"), { ...entry, token: "nobody" });
    await town.store.publish(
      { kind: "Session", namespace: "api", name: "toast" },
      { labels: { pool: "cats" }, spec: { provider: "claude" }, status: { state: "Running", pid: process.pid } },
    );
  });

  afterAll(async () => {
    town.api.close();
    await listener.close();
    await rm(directory, { recursive: true, force: true });
  });

  it("given the server, when asked who it is, then version, resources, categories and health are there", async () => {
    expect(await ok(["version"])).toMatch(/Server Version: v1\.32\.0\+/);
    const resources = cells(await ok(["api-resources"])).map((columns) => columns.join(" "));
    expect(resources).toContain("widgets wi town.dev/v1alpha1 true Widget");
    expect(resources).toContain("rigs town.dev/v1alpha1 false Rig");
    expect(resources).toContain("chores work.town.dev/v1alpha1 true Chore");
    expect((await ok(["api-resources", "--categories=town", "-o", "name"])).trim().split("\n").sort()).toEqual([
      "chores.work.town.dev",
      "rigs.town.dev",
      "sessions.work.town.dev",
      "widgets.town.dev",
    ]);
    expect((await ok(["api-versions"])).trim().split("\n")).toEqual([
      "authentication.k8s.io/v1",
      "authentication.k8s.io/v1beta1",
      "authorization.k8s.io/v1",
      "metrics.k8s.io/v1beta1",
      "town.dev/v1alpha1",
      "v1",
      "work.town.dev/v1alpha1",
    ]);
    expect(await ok(["get", "--raw", "/readyz"])).toBe("ok");
    expect(await ok(["cluster-info"])).toContain("is running at");
  });

  it("given objects, when got in every form, then kubectl prints them", async () => {
    await declare("get-a", { labels: { team: "x" } });
    await declare("get-b", { labels: { team: "y" } });
    await town.store.patchStatus(key("get-a"), {
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "Ok",
          message: "",
          lastTransitionTime: "2026-01-01T00:00:00Z",
          observedGeneration: 1,
        },
      ],
    });
    const table = cells(await ok(["get", "widgets", "-l", "team"]));
    expect(table[0]).toEqual(["NAME", "ROLE", "DESIRED", "READY", "AGE"]);
    expect(table[1]?.slice(0, 4)).toEqual(["get-a", "polish", "2", "True"]);
    expect(cells(await ok(["get", "wi", "get-b", "-o", "wide"]))[0]).toEqual([
      "NAME",
      "ROLE",
      "DESIRED",
      "READY",
      "AGE",
      "COLOR",
      "SOURCE",
    ]);
    expect((await ok(["get", "widget.town.dev", "-A", "-l", "team=y"])).split("\n")[1]).toMatch(/^api +get-b +polish/);
    expect(await ok(["get", "wi", "-l", "team in (x,z)", "-o", "name"])).toBe("widget.town.dev/get-a\n");
    expect(await ok(["get", "wi", "--field-selector", "spec.role=polish,metadata.name=get-b", "-o", "name"])).toBe(
      "widget.town.dev/get-b\n",
    );
    expect(await ok(["get", "wi", "get-a", "-o", "jsonpath={.spec.role} {.metadata.labels.team}"])).toBe("polish x");
    expect(
      cells(
        await ok(["get", "wi", "-l", "team", "-o", "custom-columns=N:.metadata.name,R:.spec.replicas", "--no-headers"]),
      ),
    ).toEqual([
      ["get-a", "2"],
      ["get-b", "2"],
    ]);
    expect(cells(await ok(["get", "wi", "-l", "team", "-L", "team", "--show-labels"]))[1]?.slice(-2)).toEqual([
      "x",
      "team=x",
    ]);
    expect(
      cells(await ok(["get", "wi", "-l", "team", "--sort-by=.metadata.labels.team", "--no-headers"])).map(
        ([name]) => name,
      ),
    ).toEqual(["get-a", "get-b"]);
    expect(cells(await ok(["get", "wi", "-l", "team", "--chunk-size=1", "--no-headers"]))).toHaveLength(2);
    expect(cells(await ok(["get", "wi", "-l", "team", "--server-print=false"]))[0]).toEqual(["NAME", "AGE"]);
    expect(await ok(["get", "wi", "get-a", "-o", "yaml"])).toContain("  role: polish\n");
    expect(JSON.parse(await ok(["get", "wi", "-l", "team", "-o", "json"])).items).toHaveLength(2);
    expect(await ok(["get", "wi", "get-a", "--subresource=scale"])).toMatch(
      /^NAME +DESIRED +AVAILABLE +AGE\nget-a +2 +0 /,
    );
    expect(await ok(["get", "all"])).toContain("widget.town.dev/get-a");
    expect(await ok(["get", "ns"])).toMatch(/api +Active[^]*hq +Active/);
    expect((await kubectl(["get", "wi", "none"])).err).toBe(
      'Error from server (NotFound): widgets.town.dev "none" not found\n',
    );
    expect((await kubectl(["get", "gadgets"])).err).toContain(`the server doesn't have a resource type "gadgets"`);
    expect((await kubectl(["get", "wi", "-n", "empty"])).err).toContain("No resources found in empty namespace");
  });

  it("given a watch, when objects change, then each change is printed at once, also for one object", async () => {
    await declare("watched");
    const one = kubectl(["get", "wi", "watched", "-w", "--no-headers"], { untilOutput: (out) => out.includes(" 7 ") });
    const all = kubectl(["get", "wi", "-l", "w", "-w", "--output-watch-events"], {
      untilOutput: (out) => out.includes("DELETED"),
    });
    while (town.api.watches() < 2) await systemClock.sleep(10);
    await declare("watched", { spec: { role: "polish", replicas: 7 } });
    await declare("watched-2", { labels: { w: "1" } });
    await town.store.withdraw(key("watched-2"));
    expect(cells((await one).out).map((columns) => columns[2])).toEqual(["2", "7"]);
    expect(cells((await all).out).map(([event, name]) => [event, name])).toEqual([
      ["EVENT", "NAME"],
      ["ADDED", "watched-2"],
      ["DELETED", "watched-2"],
    ]);
  });

  it("given fields, when explained, then every description is there", async () => {
    const all = await ok(["explain", "widgets", "--recursive"]);
    for (const part of [
      "GROUP:      town.dev",
      "KIND:       Widget",
      "A Widget is a made-up thing.",
      "env\t<[]Object>",
      "role\t<string> -required-",
      "ownerReferences\t<[]Object>",
      "conditions\t<[]Object>",
    ])
      expect(all).toContain(part);
    expect(await ok(["explain", "wi.spec.env"])).toMatch(
      /FIELD: env <\[\]Object>[^]*Environment\.[^]*name\t<string> -required-\n {4}Name\./,
    );
    if (minor >= 29) expect(await ok(["explain", "wi.spec.color"])).toMatch(/ENUM:\n {4}Red\n {4}Blue/);
    expect((await kubectl(["explain", "wi.spec.nothing"])).err).toContain('field "nothing" does not exist');
    expect(await ok(["explain", "pods"])).toContain("read-only here");
  });

  it("given a manifest, when applied, changed, applied again, then created, configured and unchanged, and diff tells", async () => {
    const path = await file("applied.yaml", manifest("applied"));
    expect(await ok(["apply", "-f", path])).toBe("widget.town.dev/applied created\n");
    expect(await ok(["apply", "-f", path])).toBe("widget.town.dev/applied unchanged\n");
    await file("applied.yaml", manifest("applied", "{role: polish, replicas: 5, color: Red}", ", labels: {a: b}"));
    const diff = await kubectl(["diff", "-f", path]);
    expect([diff.code, diff.out]).toEqual([1, expect.stringMatching(/-  replicas: 2[^]*\+  replicas: 5/)]);
    expect(await ok(["apply", "-f", path, "--dry-run=server"])).toBe(
      "widget.town.dev/applied configured (server dry run)\n",
    );
    expect(town.store.get(key("applied"))?.spec["replicas"]).toBe(2);
    expect(await ok(["apply", "-f", path])).toBe("widget.town.dev/applied configured\n");
    expect((await kubectl(["diff", "-f", path])).code).toBe(0);
    await file("applied.yaml", manifest("applied", "{role: polish}"));
    await ok(["apply", "-f", path]);
    expect(town.store.get(key("applied"))).toMatchObject({
      spec: { role: "polish", replicas: 1 },
      metadata: { generation: 3 },
    });
    expect(town.store.get(key("applied"))?.metadata.labels).toBeUndefined();
    expect(
      town.desired.writes.every(
        ({ after }) => after?.metadata.annotations?.["kubectl.kubernetes.io/last-applied-configuration"] === undefined,
      ),
    ).toBe(true);
    expect((await kubectl(["diff", "-f", await file("new.yaml", manifest("new-one"))])).code).toBe(1);
    expect((await kubectl(["apply", "--server-side", "-f", path])).err).toContain(
      "server-side apply is not served here",
    );
  });

  it("given a directory and a selector, when applied with prune, then what is not in it goes", async () => {
    const path = await file(
      "pruned.yaml",
      `${manifest("prune-a", "{role: x}", ", labels: {set: p}")}---\n${manifest("prune-b", "{role: x}", ", labels: {set: p}")}`,
    );
    await ok(["apply", "-f", path]);
    await file("pruned.yaml", manifest("prune-a", "{role: x}", ", labels: {set: p}"));
    expect(
      await ok(["apply", "-f", path, "--prune", "-l", "set=p", "--prune-allowlist=town.dev/v1alpha1/Widget"]),
    ).toBe("widget.town.dev/prune-a unchanged\nwidget.town.dev/prune-b pruned\n");
  });

  it("given wrong manifests, when created, then kubectl says what is wrong", async () => {
    const create = async (text: string, ...flags: readonly string[]) =>
      kubectl(["create", ...flags, "-f", "-"], { input: text });
    expect((await create(manifest("bad", "{rol: x}"))).err).toContain(
      'strict decoding error: unknown field "spec.rol"',
    );
    expect((await create(manifest("bad", "{replicas: 1}"))).err).toContain(
      'The Widget "bad" is invalid: spec.role: Required value',
    );
    expect((await create(manifest("bad", "{role: x, color: Green}"))).err).toContain(
      'spec.color: Unsupported value: "Green": supported values: "Red", "Blue"',
    );
    expect((await create(manifest("Bad_Name"))).err).toContain("a lowercase RFC 1123 subdomain");
    const warned = await create(manifest("warned", "{role: x, foo: 1}"), "--validate=warn");
    expect([warned.code, warned.err, warned.out]).toEqual([
      0,
      'Warning: unknown field "spec.foo"\n',
      "widget.town.dev/warned created\n",
    ]);
    expect((await create(manifest("warned"))).err).toContain('widgets.town.dev "warned" already exists');
    expect(
      (await create("apiVersion: town.dev/v1alpha1\nkind: Widget\nmetadata: {generateName: made-}\nspec: {role: x}\n"))
        .out,
    ).toMatch(/^widget\.town\.dev\/made-[0-9a-z]{5} created$/m);
    expect((await kubectl(["create", "-n", "none", "-f", "-"], { input: manifest("x") })).err).toContain(
      'namespaces "none" not found',
    );
    expect((await kubectl(["create", "namespace", "x"])).err).toContain("namespaces belong to Rig objects");
    expect((await kubectl(["delete", "namespace", "api"])).err).toContain("delete the Rig of that name instead");
  });

  it("given an object, when edited, patched, labelled, annotated, scaled and replaced, then each is done", async () => {
    await declare("changed");
    const spec = () => town.store.get(key("changed"))?.spec;
    expect(await ok(["edit", "wi", "changed"], { env: { EDITOR: "sed -i s/polish/grind/" } })).toBe(
      "widget.town.dev/changed edited\n",
    );
    expect(spec()).toMatchObject({ role: "grind" });
    expect(
      (await kubectl(["edit", "wi", "changed"], { env: { EDITOR: "true" } })).out +
        (await kubectl(["edit", "wi", "changed"], { env: { EDITOR: "true" } })).err,
    ).toContain("no changes made");
    await ok(["patch", "wi", "changed", "--type=merge", "-p", '{"spec":{"color":"Blue"}}']);
    await ok(["patch", "wi", "changed", "--type=json", "-p", '[{"op":"replace","path":"/spec/color","value":"Red"}]']);
    expect(spec()).toMatchObject({ color: "Red" });
    expect((await kubectl(["patch", "wi", "changed", "-p", '{"spec":{"color":"Blue"}}'])).err).toContain(
      "application/merge-patch+json",
    );
    await ok(["patch", "wi", "changed", "--subresource=status", "--type=merge", "-p", '{"status":{"note":"hi"}}']);
    expect(town.store.get(key("changed"))?.status).toEqual({ note: "hi" });
    await ok(["label", "wi", "changed", "x=y"]);
    expect((await kubectl(["label", "wi", "changed", "x=z"])).err).toContain("already has a value");
    await ok(["label", "wi", "changed", "x-"]);
    await ok(["annotate", "wi", "changed", "note=why", "runtime.town.dev/restarted-at=now"]);
    expect(town.store.get(key("changed"))?.metadata).toMatchObject({
      annotations: { note: "why", "runtime.town.dev/restarted-at": "now" },
    });
    expect(await ok(["scale", "wi", "changed", "--replicas=5"])).toBe("widget.town.dev/changed scaled\n");
    await ok(["scale", "wi", "changed", "--current-replicas=5", "--replicas=6"]);
    expect((await kubectl(["scale", "wi", "changed", "--current-replicas=5", "--replicas=7"])).err).toContain(
      "Expected replicas to be 5, was 6",
    );
    expect(spec()).toMatchObject({ replicas: 6 });
    expect(await ok(["replace", "-f", await file("replaced.yaml", manifest("changed", "{role: whole}"))])).toBe(
      "widget.town.dev/changed replaced\n",
    );
    expect(spec()).toEqual({ role: "whole", replicas: 1 });
    await ok(["replace", "--force", "-f", join(directory, "replaced.yaml")]);
  });

  it("given conditions, fields and deletion, when waited for, then kubectl returns as they come", async () => {
    await declare("waited");
    const forCondition = ok(["wait", "wi/waited", "--for=condition=Ready", "--timeout=120s"]);
    const forField = ok(["wait", "wi/waited", "--for=jsonpath={.status.note}=done", "--timeout=120s"]);
    while (town.api.watches() < 2) await systemClock.sleep(10);
    await town.store.patchStatus(key("waited"), {
      note: "done",
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "Ok",
          message: "",
          lastTransitionTime: "2026-01-01T00:00:00Z",
          observedGeneration: 1,
        },
      ],
    });
    expect(await forCondition).toBe("widget.town.dev/waited condition met\n");
    await forField;
    const gone = ok(["wait", "wi/waited", "--for=delete", "--timeout=120s"]);
    while (town.api.watches() < 1) await systemClock.sleep(10);
    await town.store.withdraw(key("waited"));
    await gone;
    expect((await kubectl(["wait", "wi/waited", "--for=condition=Ready", "--timeout=1s"])).err).toContain("not found");
  });

  it("given finalizers, when deleted, then kubectl waits until the last is gone", async () => {
    await declare("held");
    await ok(["patch", "wi", "held", "--type=merge", "-p", '{"metadata":{"finalizers":["town.dev/a"]}}']);
    const deleting = kubectl(["delete", "wi", "held"]);
    while (town.api.watches() < 1) await systemClock.sleep(10);
    expect(town.store.get(key("held"))?.metadata.deletionTimestamp).toBeDefined();
    await ok(["patch", "wi", "held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}']);
    expect(await deleting).toMatchObject({ code: 0, out: 'widget.town.dev "held" deleted\n' });
    await declare("fore");
    await ok(["delete", "wi", "fore", "--cascade=foreground"]);
    expect(town.store.get(key("fore"))).toBeUndefined();
    await declare("bulk-a", { labels: { bulk: "1" } });
    await declare("bulk-b", { labels: { bulk: "1" } });
    expect(await ok(["delete", "wi", "-l", "bulk=1"])).toBe(
      'widget.town.dev "bulk-a" deleted\nwidget.town.dev "bulk-b" deleted\n',
    );
    expect((await kubectl(["delete", "wi", "bulk-a"])).err).toContain("not found");
    expect((await kubectl(["delete", "wi", "bulk-a", "--ignore-not-found"])).code).toBe(0);
  });

  it("given what happened, when described or listed as events, then it is told", async () => {
    await ok(["create", "-f", "-"], { input: manifest("eventful") });
    town.store.record(key("eventful"), {
      type: "Warning",
      reason: "Stuck",
      message: "It does not move",
      actor: "widgets",
    });
    town.store.record(key("eventful"), {
      type: "Warning",
      reason: "Stuck",
      message: "It does not move",
      actor: "widgets",
    });
    const described = await ok(["describe", "wi", "eventful"]);
    expect(described).toMatch(/Name: +eventful\nNamespace: +api/);
    expect(described).toMatch(/Warning +Stuck +\S+ \(x2 over \S+\) +widgets +It does not move/);
    expect(described).toContain("overseer (kubectl create) created it");
    expect(await ok(["events", "--for", "widget/eventful"])).toMatch(
      /Warning +Stuck +Widget\/eventful +It does not move/,
    );
    expect(await ok(["get", "events", "--field-selector", "reason=Stuck"])).toMatch(
      /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\S+ +Warning +Stuck +widget\/eventful +It does not move/,
    );
  });

  it("given a cluster-scoped object, when described, then its events are found, and apply works on it, too", async () => {
    await ok([
      "apply",
      "-f",
      await file("rig.yaml", "apiVersion: town.dev/v1alpha1\nkind: Rig\nmetadata: {name: web}\nspec: {url: x}\n"),
    ]);
    expect(await ok(["describe", "rig", "web"])).toMatch(
      /Normal +Created +\S+ +overseer +overseer \(kubectl apply\) created it/,
    );
    expect(await ok(["get", "ns", "web", "-o", "jsonpath={.status.phase}"])).toBe("Active");
    expect(await ok(["create", "-n", "web", "-f", "-"], { input: manifest("in-web") })).toBe(
      "widget.town.dev/in-web created\n",
    );
    expect(
      await ok([
        "get",
        "events",
        "-A",
        "--field-selector",
        "involvedObject.kind=Rig",
        "-o",
        "jsonpath={.items[*].metadata.namespace}",
      ]),
    ).toBe("default");
    await ok(["delete", "rig", "web"]);
    expect(
      (
        await kubectl(["create", "-f", "-"], {
          input: "apiVersion: town.dev/v1alpha1\nkind: Rig\nmetadata: {name: hq}\nspec: {}\n",
        })
      ).err,
    ).toContain("is a built-in namespace");
  });

  it("given sessions and the machine, when asked what they take, then kubectl top tells it", async () => {
    const [head, toast] = cells(await ok(["top", "pods"]));
    expect(head).toEqual(["NAME", "CPU(cores)", "MEMORY(bytes)"]);
    expect(toast?.join(" ")).toMatch(/^toast \d+m \d+Mi$/);
    expect(await ok(["top", "pods", "-A", "-l", "pool=cats", "--sort-by=memory", "--no-headers"])).toMatch(
      /^api +toast /,
    );
    expect(await ok(["top", "pod", "toast", "--containers"])).toMatch(/toast +agent +\d+m +\d+Mi/);
    expect(await ok(["top", "nodes"])).toMatch(/localhost +\d+m +\d+% +\d+Mi +\d+%/);
    expect(cells(await ok(["get", "nodes"]))[1]?.slice(0, 2)).toEqual(["localhost", "Ready"]);
  });

  it("given sessions, when looked at as pods, then get, describe and logs work and exec says what to use", async () => {
    expect(cells(await ok(["get", "pods", "-l", "pool=cats"]))[1]?.slice(0, 4)).toEqual([
      "toast",
      "1/1",
      "Running",
      "0",
    ]);
    expect(await ok(["describe", "pod", "toast"])).toMatch(/Controlled By: +Session\/toast/);
    expect(await ok(["logs", "toast"])).toBe("one\ntwo\nthree\n");
    expect(await ok(["logs", "toast", "--tail=1"])).toBe("three\n");
    expect(await ok(["logs", "-f", "toast"])).toBe("one\ntwo\nthree\nlive\n");
    expect(await ok(["logs", "-l", "pool=cats", "--prefix", "--tail=1"])).toBe("[pod/toast/agent] three\n");
    expect(await ok(["logs", "toast", "--timestamps", "--tail=1"])).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z three\n$/,
    );
    expect((await kubectl(["logs", "toast", "--previous"])).err).toContain("previous terminated container");
    expect((await kubectl(["exec", "toast", "--", "ls"])).err).toContain("use `town attach toast`");
    expect((await kubectl(["delete", "pod", "toast"])).err).toContain("pods show Session objects");
  });

  it("given a token, when asked who it is and what it may do, then kubectl is told as a request would be", async () => {
    const asViewer = { env: { KUBECONFIG: join(directory, "view-config") } };
    expect(await ok(["auth", "can-i", "create", "widgets"])).toBe("yes\n");
    expect(await kubectl(["auth", "can-i", "create", "widgets"], asViewer)).toMatchObject({
      code: 1,
      out: "no - its role is view\n",
    });
    expect((await kubectl(["auth", "can-i", "get", "pods", "--subresource=log"], asViewer)).out).toBe("yes\n");
    expect(await ok(["auth", "can-i", "--list"], asViewer)).toMatch(/widgets\.town\.dev[^]*\[get list watch\]/);
    expect(await ok(["auth", "whoami"], asViewer)).toMatch(/Username +vera@example\.org/);
  });

  it("given other tokens, when used, then roles hold", async () => {
    expect((await kubectl(["get", "wi"], { env: { KUBECONFIG: join(directory, "view-config") } })).code).toBe(0);
    expect(
      (
        await kubectl(["create", "-f", "-"], {
          input: manifest("refused"),
          env: { KUBECONFIG: join(directory, "view-config") },
        })
      ).err,
    ).toContain("its role is view");
    expect((await kubectl(["get", "wi"], { env: { KUBECONFIG: join(directory, "wrong-config") } })).err).toContain(
      "You must be logged in to the server",
    );
  });
});
