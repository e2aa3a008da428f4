import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kubectlPrograms } from "../kubectl/kubectl-programs.ts";
import { cells, Kubectl, type Running } from "../kubectl/kubectl-run.ts";
import { TownProcess } from "./town-process.ts";

const dist = fileURLToPath(new URL("../../dist", import.meta.url));

/** A day with kubectl in a real town: daemon, git repository, sessions. Each part builds on those before it. */
describe.each(kubectlPrograms())("kubectl 1.$minor in a real town", ({ path, minor }) => {
  let town: TownProcess;
  /** Ann's: role edit. */
  let kubectl: Kubectl;
  let overseer: Kubectl;
  let view: Kubectl;

  const canWaitForFields = minor >= 23;
  const hasEvents = minor >= 26;
  const POOLS = "manifests/api/agentpools";
  const read = (file: string): string => readFileSync(join(town.directory, file), "utf8");
  const file = (name: string, text: string): string => {
    const full = join(town.home, name);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    return full;
  };
  const pool = (name: string, spec: string, more = ""): string =>
    `apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata:\n  name: ${name}\n  namespace: api\n${more}spec:\n  role: crew\n  provider: shell\n${spec}`;
  /** Newest commit: author, subject. */
  const commit = (): string => town.git(town.directory, "log", "-1", "--format=%an <%ae>: %s");
  const watches = async (): Promise<number> =>
    Number(/^town_api_watches (\d+)/m.exec(await overseer.ok(["get", "--raw", "/metrics"]))?.[1] ?? 0);
  /** Starts a kubectl that watches, and returns once the server has the watch. */
  const watching = async (args: readonly string[], options: Parameters<Kubectl["start"]>[1] = {}): Promise<Running> => {
    const before = await watches();
    const running = kubectl.start(args, options);
    for (let tries = 0; (await watches()) <= before; tries += 1) {
      if (tries > 200 || !running.isRunning())
        throw new Error(`no watch came of kubectl ${args.join(" ")}: ${JSON.stringify(await running.done)}`);
      await sleep(25);
    }
    return running;
  };

  beforeAll(async () => {
    town = new TownProcess();
    town.initWithRig({ files: { "check.sh": "exit 0\n" }, gate: "sh check.sh" });
    town.git(town.directory, "config", "user.email", "pat@example.org");
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    const as = (name: string, config: string): Kubectl =>
      new Kubectl(path, {
        PATH: town.env["PATH"] ?? "",
        HOME: join(town.home, `kube-${name}`),
        KUBECONFIG: file(`kubeconfig-${name}`, config),
        TERM: "dumb",
      });
    const person = (name: string, role: string): Kubectl =>
      as(
        name,
        town.run("token", "create", name, "--role", role, "--email", `${name}@example.org`, "--kubeconfig").stdout,
      );
    expect(town.run("kubeconfig", "--write", join(town.home, "own"))).toMatchObject({ status: 0 });
    overseer = as("overseer", readFileSync(join(town.home, "own"), "utf8"));
    kubectl = person("ann", "edit");
    view = person("vera", "view");
    await kubectl.ok(["config", "set-context", "--current", "--namespace=api"]);
    await view.ok(["config", "set-context", "--current", "--namespace=api"]);
    await kubectl.ok(["wait", "agentpool/crew", "--for=condition=Ready", "--timeout=120s"]);
    await town.until(
      "the crew's agent runs",
      () => town.object("session", "api", "toast")?.status?.["state"] === "Running",
    );
  });

  afterAll(() => town.end());

  it("given the town, when asked what there is, then kinds, versions, health and who may do what are told", async () => {
    expect(await kubectl.ok(["version"])).toMatch(/Server Version:.*v1\.32\.0\+/);
    const kinds = cells(await kubectl.ok(["api-resources"])).map((row) => row.join(" "));
    expect(kinds).toContain("agentpools pool,ap town.dev/v1alpha1 true AgentPool");
    expect(kinds).toContain("beads bd work.town.dev/v1alpha1 true Bead");
    expect(kinds).toContain("pods po v1 true Pod");
    expect((await kubectl.ok(["api-versions"])).split("\n")).toEqual(
      expect.arrayContaining(["town.dev/v1alpha1", "work.town.dev/v1alpha1"]),
    );
    expect(await kubectl.ok(["get", "--raw", "/readyz"])).toBe("ok");
    expect(await kubectl.ok(["cluster-info"])).toContain("is running at");
    expect((await kubectl.ok(["get", "namespaces", "-o", "name"])).trim().split("\n")).toEqual([
      "namespace/api",
      "namespace/default",
      "namespace/hq",
    ]);
  });

  it("given objects of all three truths, when got in every form, then each form is right", async () => {
    const table = cells(await kubectl.ok(["get", "agentpools"]));
    expect(table[0]).toEqual(["NAME", "ROLE", "REPLICAS", "RUNNING", "WORKING", "READY", "AGE"]);
    expect(table[1]?.slice(0, 6)).toEqual(["crew", "crew", "1", "1", "0", "True"]);
    expect(cells(await kubectl.ok(["get", "pool", "crew", "-o", "wide"]))[0]).toEqual([
      "NAME",
      "ROLE",
      "PROVIDER",
      "REPLICAS",
      "RUNNING",
      "WORKING",
      "READY",
      "REASON",
      "AGE",
      "SOURCE",
    ]);
    expect(
      JSON.parse(await kubectl.ok(["get", "ap", "-o", "json"])).items.map(
        (item: { metadata: { name: string } }) => item.metadata.name,
      ),
    ).toEqual(["crew", "polecats"]);
    expect(await kubectl.ok(["get", "agentpool/crew", "-o", "yaml"])).toMatch(
      /^kind: AgentPool$[^]*^ {2}replicas: 1$/m,
    );
    expect(await kubectl.ok(["get", "agentpools.v1alpha1.town.dev", "-o", "name"])).toBe(
      "agentpool.town.dev/crew\nagentpool.town.dev/polecats\n",
    );
    expect(
      await kubectl.ok(["get", "pool", "-o", "jsonpath={range .items[*]}{.metadata.name}={.spec.replicas} {end}"]),
    ).toMatch(/^crew=1 polecats=\d+ $/);
    expect(cells(await kubectl.ok(["get", "pool", "-o", "custom-columns=N:.metadata.name,R:.spec.role"]))).toEqual([
      ["N", "R"],
      ["crew", "crew"],
      ["polecats", "polecat"],
    ]);
    expect(await kubectl.ok(["get", "pool", "-A", "--no-headers"])).toMatch(/^api +crew .*\napi +polecats /);
    expect(await kubectl.ok(["get", "pool", "--field-selector", "metadata.name=crew", "-o", "name"])).toBe(
      "agentpool.town.dev/crew\n",
    );
    expect(
      cells(await kubectl.ok(["get", "pool", "--sort-by=.spec.replicas", "--no-headers"])).map(([name]) => name),
    ).toEqual(["crew", "polecats"]);
    expect(
      cells(await kubectl.ok(["get", "pool", "--sort-by={.metadata.name}", "--no-headers", "--chunk-size=1"])),
    ).toHaveLength(2);
    expect(cells(await kubectl.ok(["get", "pool", "--chunk-size=1", "--no-headers"])).map(([name]) => name)).toEqual([
      "crew",
      "polecats",
    ]);
    expect(await kubectl.ok(["get", "sessions,sandboxes,agents"])).toMatch(
      /session\.work\.town\.dev\/toast +Running[^]*sandbox\.work\.town\.dev\/toast[^]*agent\.work\.town\.dev\/toast +crew/,
    );
    expect(await kubectl.ok(["get", "town", "-A"])).toMatch(
      /town\.town\.dev\/hq[^]*rig\.town\.dev\/api[^]*agentpool\.town\.dev\/crew/,
    );
    expect(cells(await kubectl.ok(["get", "pool", "crew", "--server-print=false"]))[0]).toEqual(["NAME", "AGE"]);
    expect(await kubectl.refused(["get", "pool", "none"])).toBe(
      'Error from server (NotFound): agentpools.town.dev "none" not found\n',
    );
    expect(await kubectl.refused(["get", "gadgets"])).toContain(`the server doesn't have a resource type "gadgets"`);
    expect(await kubectl.refused(["get", "pool", "--field-selector", "spec.zzz=1"])).toContain(
      "field label not supported: spec.zzz",
    );
  });

  it("given fields, when explained, then each is described, also all at once", async () => {
    const all = await kubectl.ok(["explain", "agentpools", "--recursive"]);
    for (const part of ["AgentPool", "replicas", "valueFrom", "ownerReferences", "lastTransitionTime"])
      expect(all).toContain(part);
    expect(await kubectl.ok(["explain", "pool.spec.replicas"])).toMatch(/replicas <integer>[^]*agents kept running/);
    expect(await kubectl.ok(["explain", "bead.spec"])).toMatch(/title\s+<string>/);
  });

  it("given a manifest of an object that git declares, when applied unchanged, changed, with -R and -k, then kubectl tells which", async () => {
    const crew = join(town.directory, POOLS, "crew.yaml");
    const before = read(`${POOLS}/crew.yaml`);
    await kubectl.ok(["apply", "-f", crew]);
    expect(await kubectl.ok(["apply", "-f", crew])).toBe("agentpool.town.dev/crew unchanged\n");
    expect(read(`${POOLS}/crew.yaml`)).toBe(before);
    file("set/a.yaml", pool("first", "  replicas: 0\n", "  labels: {set: x}\n"));
    file(
      "set/deep/er/b.yaml",
      `${pool("second", "  replicas: 0\n", "  labels: {set: x}\n")}---\n${pool("third", "  replicas: 0\n")}`,
    );
    expect(await kubectl.ok(["apply", "-R", "-f", join(town.home, "set")])).toBe(
      "agentpool.town.dev/first created\nagentpool.town.dev/second created\nagentpool.town.dev/third created\n",
    );
    file(
      "set/a.yaml",
      pool("first", "  # Ann wants it named.\n  replicas: 0\n  names: [rosa]\n", "  labels: {set: x}\n"),
    );
    expect(await kubectl.ok(["apply", "-R", "-f", join(town.home, "set")])).toBe(
      "agentpool.town.dev/first configured\nagentpool.town.dev/second unchanged\nagentpool.town.dev/third unchanged\n",
    );
    expect(read(`${POOLS}/first.yaml`)).toContain("rosa");
    file("k/pool.yaml", pool("kept", "  replicas: 0\n"));
    file("k/kustomization.yaml", "resources: [pool.yaml]\nnamePrefix: k-\ncommonAnnotations: {from: kustomize}\n");
    expect(await kubectl.ok(["apply", "-k", join(town.home, "k")])).toBe("agentpool.town.dev/k-kept created\n");
    expect(await kubectl.ok(["get", "pool", "k-kept", "-o", "jsonpath={.metadata.annotations.from}"])).toBe(
      "kustomize",
    );
    expect(await kubectl.ok(["get", "pool", "-l", "set in (x,y)", "-o", "name"])).toBe(
      "agentpool.town.dev/first\nagentpool.town.dev/second\n",
    );
    expect(await kubectl.ok(["get", "pool", "-l", "!set", "-L", "set", "--no-headers"])).toMatch(/^crew[^]*third/);
  });

  it("given live objects, when compared with files, then diff exits with 0 for none, 1 for differences, more for trouble", async () => {
    const path = file("set/a.yaml", pool("first", "  replicas: 0\n  names: [rosa, emma]\n", "  labels: {set: x}\n"));
    const changed = await kubectl.run(["diff", "-f", path]);
    expect([changed.code, changed.out]).toEqual([1, expect.stringMatching(/^\+ +- emma$/m)]);
    expect((await kubectl.run(["diff", "-f", file("new.yaml", pool("brand-new", "  replicas: 0\n"))])).code).toBe(1);
    expect(await kubectl.run(["diff", "-f", join(town.home, "set/deep/er/b.yaml")])).toMatchObject({
      code: 0,
      out: "",
    });
    expect(
      (await kubectl.run(["diff", "-f", file("bad.yaml", pool("bad", "  replicas: many\n"))])).code,
    ).toBeGreaterThan(1);
    expect(await kubectl.ok(["apply", "--dry-run=server", "-f", path])).toBe(
      "agentpool.town.dev/first configured (server dry run)\n",
    );
    expect(read(`${POOLS}/first.yaml`)).not.toContain("emma");
  });

  it("given wrong manifests, when created, then each is refused with its field, and nothing is written", async () => {
    const head = town.git(town.directory, "rev-parse", "HEAD");
    const create = (text: string): Promise<string> => kubectl.refused(["create", "-f", "-"], { input: text });
    expect(await create(pool("bad", "  replica: 1\n"))).toMatch(/unknown field "(spec\.)?replica"/);
    expect(await create(pool("bad", ""))).toMatch(/spec\.replicas: Required value|missing required field "replicas"/);
    expect(await create(pool("bad", "  replicas: 900\n"))).toContain("spec.replicas: Invalid value");
    expect(await create(pool("crew", "  replicas: 1\n"))).toContain('agentpools.town.dev "crew" already exists');
    expect(
      await kubectl.refused(["create", "-n", "nowhere", "-f", "-"], {
        input: pool("bad", "  replicas: 1\n").replace("namespace: api", "namespace: nowhere"),
      }),
    ).toContain('namespaces "nowhere" not found');
    expect(await kubectl.refused(["create", "namespace", "x"])).toContain("namespaces belong to Rig objects");
    expect(town.git(town.directory, "rev-parse", "HEAD")).toBe(head);
  });

  it("given an object, when created, edited, patched in three ways, replaced, labelled, annotated and scaled, then each is a commit of its author and comments stay", async () => {
    expect(await kubectl.ok(["create", "-f", "-"], { input: pool("made", "  replicas: 0\n") })).toBe(
      "agentpool.town.dev/made created\n",
    );
    expect(commit()).toBe("ann <ann@example.org>: agentpool api/made: created");
    expect(
      await kubectl.ok(["create", "-f", "-"], {
        input: pool("x", "  replicas: 0\n").replace("name: x", "generateName: gen-"),
      }),
    ).toMatch(/^agentpool\.town\.dev\/gen-[0-9a-z]{5} created$/m);
    town.edit("api/agentpools/made.yaml", "  replicas: 0", "  # Nobody for now.\n  replicas: 0 # none");
    await town.until(
      "the comment is synced",
      () => town.object("town", undefined, "hq")?.status?.["sync"] !== undefined,
    );
    expect(
      await kubectl.ok(["edit", "pool", "made"], {
        env: { EDITOR: "sed -i -e 's/^  role: crew/  role: crew\\n  effort: high/'" },
      }),
    ).toBe("agentpool.town.dev/made edited\n");
    expect(commit()).toContain("spec.effort");
    expect(
      (await kubectl.run(["edit", "pool", "made"], { env: { EDITOR: "true" } })).err +
        (await kubectl.run(["edit", "pool", "made"], { env: { EDITOR: "true" } })).out,
    ).toContain("no changes made");
    await kubectl.ok(["patch", "pool", "made", "--type=merge", "-p", '{"spec":{"effort":null}}']);
    await kubectl.ok([
      "patch",
      "pool",
      "made",
      "--type=json",
      "-p",
      '[{"op":"test","path":"/spec/replicas","value":0},{"op":"add","path":"/spec/model","value":"m"}]',
    ]);
    expect(
      await kubectl.refused([
        "patch",
        "pool",
        "made",
        "--type=json",
        "-p",
        '[{"op":"test","path":"/spec/replicas","value":9}]',
      ]),
    ).toMatch(/the server rejected our request|The request is invalid/);
    expect(await kubectl.refused(["patch", "pool", "made", "-p", '{"spec":{"model":"n"}}'])).toContain(
      "application/merge-patch+json",
    );
    expect(await kubectl.ok(["label", "pool", "made", "team=blue"])).toBe("agentpool.town.dev/made labeled\n");
    expect(await kubectl.refused(["label", "pool", "made", "team=red"])).toContain("already has a value");
    await kubectl.ok(["label", "pool", "made", "team=red", "--overwrite"]);
    await kubectl.ok(["annotate", "pool", "made", "note=why"]);
    expect(commit()).toBe("ann <ann@example.org>: agentpool api/made: metadata.annotations.note set to why");
    expect(await kubectl.ok(["scale", "pool/made", "--replicas=2"])).toBe("agentpool.town.dev/made scaled\n");
    expect(commit()).toBe("ann <ann@example.org>: agentpool api/made: spec.replicas 0 → 2");
    expect(await kubectl.refused(["scale", "pool/made", "--current-replicas=5", "--replicas=1"])).toContain(
      "Expected replicas to be 5, was 2",
    );
    await kubectl.ok(["scale", "pool/made", "--current-replicas=2", "--replicas=0"]);
    const text = read(`${POOLS}/made.yaml`);
    expect(text).toMatch(/# Nobody for now\.\n {2}replicas: 0 # none/);
    expect(text).toContain("team: red");
    expect(text).not.toMatch(/last-applied|uid|generation|suspend/);
    expect(await kubectl.ok(["replace", "-f", "-"], { input: pool("made", "  replicas: 0\n  effort: low\n") })).toBe(
      "agentpool.town.dev/made replaced\n",
    );
    expect(read(`${POOLS}/made.yaml`)).toContain("# Nobody for now.");
    expect(JSON.parse(await kubectl.ok(["get", "pool", "made", "-o", "json"]))).toMatchObject({
      spec: { effort: "low" },
    });
    expect(await kubectl.ok(["replace", "--force", "-f", "-"], { input: pool("made", "  replicas: 0\n") })).toContain(
      "replaced",
    );
    const held = town.git(town.directory, "rev-parse", "HEAD");
    await kubectl.ok(["annotate", "pool", "made", "runtime.town.dev/restarted-at=now"]);
    expect(town.git(town.directory, "rev-parse", "HEAD")).toBe(held);
  });

  it("given a watch on one object, when it changes, then the first change is seen, also in events and YAML", async () => {
    const one = await watching(["get", "pool", "made", "-w", "--no-headers"], {
      untilOutput: (out) => / 4 /.test(out),
    });
    const all = await watching(["get", "pool", "-l", "w", "-w", "--output-watch-events", "--no-headers"], {
      untilOutput: (out) => /DELETED +made/.test(out),
    });
    await kubectl.ok(["patch", "pool", "made", "--type=merge", "-p", '{"spec":{"suspend":true,"replicas":4}}']);
    await kubectl.ok(["label", "pool", "made", "w=1"]);
    await kubectl.ok(["label", "pool", "made", "w-"]);
    expect((await one.done).out.trim().split("\n")[0]).toMatch(/^made +crew +0 /);
    const rows = cells((await all.done).out);
    expect(rows[0]?.slice(0, 2)).toEqual(["ADDED", "made"]);
    expect(rows.at(-1)?.slice(0, 2)).toEqual(["DELETED", "made"]);
    await kubectl.ok(["patch", "pool", "made", "--type=merge", "-p", '{"spec":{"suspend":null,"replicas":0}}']);
  });

  it("given waits for a condition, a field and a deletion, when nothing happens they wait, and when it does they return", async () => {
    await kubectl.ok(["create", "-f", "-"], { input: pool("awaited", "  replicas: 0\n  names: [wanda]\n") });
    const field = canWaitForFields
      ? await watching(["wait", "pool/awaited", "--for=jsonpath={.status.replicas}=1", "--timeout=120s"])
      : undefined;
    const condition = kubectl.start(["wait", "rig/api", "--for=condition=Ready=False", "--timeout=2s"]);
    expect(field?.isRunning() ?? true).toBe(true);
    await kubectl.ok(["scale", "pool/awaited", "--replicas=1"]);
    if (field !== undefined)
      expect(await field.done).toMatchObject({ code: 0, out: "agentpool.town.dev/awaited condition met\n" });
    await town.until("wanda runs", () => town.object("session", "api", "wanda")?.status?.["state"] === "Running");
    expect((await condition.done).err).toContain("timed out waiting for the condition on rigs/api");
    expect(await kubectl.ok(["get", "pods", "wanda", "-o", "jsonpath={.status.phase}"])).toBe("Running");
    await overseer.ok([
      "patch",
      "-n",
      "api",
      "pool",
      "awaited",
      "--type=json",
      "-p",
      '[{"op":"add","path":"/metadata/finalizers/-","value":"example.org/hold"}]',
    ]);
    const waiting = await watching(["wait", "pool/awaited", "--for=delete", "--timeout=120s"]);
    const deleting = await watching(["delete", "pool", "awaited"]);
    await town.until("the agents are drained", () => town.object("session", "api", "wanda") === undefined);
    expect(existsSync(join(town.directory, POOLS, "awaited.yaml"))).toBe(false);
    expect(
      await kubectl.ok([
        "get",
        "pool",
        "awaited",
        "-o",
        "jsonpath={.metadata.finalizers} {.metadata.deletionGracePeriodSeconds}",
      ]),
    ).toContain("example.org/hold");
    expect([deleting.isRunning(), waiting.isRunning()]).toEqual([true, true]);
    await overseer.ok([
      "patch",
      "-n",
      "api",
      "pool",
      "awaited",
      "--type=merge",
      "-p",
      '{"metadata":{"finalizers":null}}',
    ]);
    expect(await deleting.done).toMatchObject({
      code: 0,
      out: expect.stringContaining('agentpool.town.dev "awaited" deleted'),
    });
    expect((await waiting.done).code).toBe(0);
    expect(await kubectl.ok(["delete", "pool", "-l", "set=x"])).toMatch(/"first" deleted[^]*"second" deleted/);
    expect(await kubectl.ok(["delete", "pool", "first", "--ignore-not-found"])).toBe("");
    expect(await kubectl.refused(["delete", "pool", "first"])).toContain("not found");
  });

  it("given what happened, when described or listed, then events tell who did what from where", async () => {
    await kubectl.ok(["scale", "pool/made", "--replicas=1"]);
    await kubectl.ok(["scale", "pool/made", "--replicas=0"]);
    const described = await kubectl.ok(["describe", "pool", "made"]);
    expect(described).toMatch(/Name: +made\nNamespace: +api[^]*Replicas: +0[^]*Events:/);
    expect(described).toMatch(/ann \(kubectl( scale)?\) changed spec\.replicas/);
    expect(described).toMatch(/ann \(kubectl( label)?\) changed metadata\.labels/);
    if (hasEvents)
      expect(await kubectl.ok(["events", "--for", "agentpool/awaited"])).toMatch(
        /Deleted +AgentPool\/awaited +ann \(kubectl delete\) deleted it/,
      );
    expect(
      await kubectl.ok(["get", "events", "--field-selector", "reason=Deleted,involvedObject.name=awaited"]),
    ).toContain("agentpool/awaited");
    expect(await kubectl.ok(["describe", "agent", "toast"])).toMatch(/SessionStarted/);
    expect(await kubectl.ok(["describe", "pod", "toast"])).toMatch(/Controlled By: +Session\/toast/);
  });

  it("given sessions, when their logs are asked for, then tail, follow to the end and the previous run work", async () => {
    expect(await kubectl.ok(["logs", "toast"])).toContain("api/crew/toast");
    expect((await kubectl.ok(["logs", "toast", "--tail=1"])).trim().split("\n")).toHaveLength(1);
    const generation = (): number => Number(town.object("session", "api", "toast")?.spec["generation"] ?? 0);
    const former = generation();
    process.kill(Number(town.object("session", "api", "toast")?.status?.["pid"]), "SIGKILL");
    await town.until(
      "toast runs again",
      () => generation() > former && town.object("session", "api", "toast")?.status?.["state"] === "Running",
    );
    expect(await kubectl.ok(["logs", "toast", "--previous"])).toContain("api/crew/toast");
    expect(await kubectl.refused(["exec", "toast", "--", "ls"])).toContain("town attach toast");
    const following = kubectl.start(["logs", "-f", "toast"]);
    await town.until("the log is followed", () => following.out().includes("api/crew/toast"));
    expect(following.isRunning()).toBe(true);
    await kubectl.ok(["scale", "pool/crew", "--replicas=0"]);
    expect((await following.done).code).toBe(0);
    await town.until("the crew is gone", () => town.object("session", "api", "toast") === undefined);
  });

  it("given roles, when they are overstepped, then kubectl prints who may not do what, and nothing happens", async () => {
    const head = town.git(town.directory, "rev-parse", "HEAD");
    expect(await view.ok(["get", "pool", "-o", "name"])).toContain("crew");
    expect(await view.refused(["scale", "pool/crew", "--replicas=3"])).toMatch(
      /^Error from server \(Forbidden\): agentpools\.town\.dev "crew" is forbidden: User "vera" cannot patch resource "agentpools\/scale" in API group "town\.dev" in the namespace "api": its role is view\n$/,
    );
    expect(await view.refused(["delete", "pool", "crew"])).toContain('User "vera" cannot delete resource "agentpools"');
    expect(await kubectl.refused(["delete", "rig", "api"])).toContain(
      'cannot delete resource "rigs" in API group "town.dev" at the cluster scope: its role is edit',
    );
    expect(await overseer.ok(["label", "rig", "api", "seen=yes"])).toContain("labeled");
    expect(commit()).toBe("overseer <pat@example.org>: rig api: metadata.labels.seen set to yes");
    expect(town.git(town.directory, "rev-parse", "HEAD~1")).toBe(head);
  });

  it("given what comes with the program, when changed, then the town overrides it, and it is back when that goes", async () => {
    expect(await overseer.refused(["delete", "role", "crew"])).toContain("comes with the program");
    const prompt = await overseer.ok(["get", "role", "crew", "-o", "jsonpath={.spec.prompt}"]);
    await overseer.ok(["patch", "role", "crew", "--type=merge", "-p", '{"spec":{"prompt":"Be brief."}}']);
    expect(commit()).toMatch(/^overseer <pat@example\.org>: role crew: /);
    const path = town.git(town.directory, "show", "--format=", "--name-only", "HEAD");
    expect(read(path)).toMatch(/^ {2}name: crew$[^]*^ {2}prompt: Be brief\.$/m);
    const deleted = await overseer.run(["delete", "role", "crew"]);
    expect([deleted.code, deleted.err]).toEqual([0, expect.stringContaining("in force again as shipped")]);
    expect(await overseer.ok(["get", "role", "crew", "-o", "jsonpath={.spec.prompt}"])).toBe(prompt);
    expect(existsSync(join(town.directory, path))).toBe(false);
  });

  it("given the plugin on PATH, when kubectl town is called in the town, then it is the town command", async () => {
    const bin = join(town.home, "bin");
    mkdirSync(bin, { recursive: true });
    if (!existsSync(join(bin, "kubectl-town")))
      symlinkSync(join(dist, "bin", "kubectl-town.cjs"), join(bin, "kubectl-town"));
    const node = dirname(process.execPath);
    const env = { PATH: `${bin}:${node}:${town.env["PATH"] ?? ""}` };
    expect(
      cells(await kubectl.ok(["town", "get", "agentpools", "-n", "api"], { env, cwd: town.directory }))[1]?.slice(0, 2),
    ).toEqual(["crew", "crew"]);
    expect(await kubectl.ok(["town", "status"], { env, cwd: town.directory })).toContain("Town hq: Synced");
    expect(
      (await kubectl.run(["town", "get", "agentpools/none", "-n", "api"], { env, cwd: town.directory })).code,
    ).toBe(4);
    expect(await kubectl.ok(["plugin", "list"], { env, cwd: town.directory })).toContain("kubectl-town");
  });

  it("given all that, when the repository is looked at, then every write is a commit of who made it and nothing else is left", () => {
    expect(town.git(town.directory, "status", "--porcelain")).toBe("");
    const authors = new Set(town.git(town.directory, "log", "--format=%an").split("\n"));
    expect(authors).toEqual(new Set(["ann", "overseer", "Pat"]));
    expect(read(`${POOLS}/crew.yaml`)).toMatch(/^# Crew agents are persistent[^]*replicas: 0$/m);
    expect(town.git(town.directory, "log", "--format=%B")).toContain("Town-Deleted: AgentPool/api/first");
  });
});
