import { describe, expect, it } from "vitest";
import type { FakeTown } from "../fake-town.ts";
import { runTown } from "../run-town.ts";
import { sampleTown, transcript } from "../sample-town.ts";

const EVENTS = [
  event("e2", "Warning", "CrashLoop", "session ended 4 times", {
    count: 4,
    firstTimestamp: "2026-01-01T23:00:00Z",
    lastTimestamp: "2026-01-01T23:59:00Z",
  }),
  event("e1", "Normal", "SessionStarted", "generation 7", { lastTimestamp: "2026-01-01T23:50:00Z" }),
  {
    ...event("e3", "Normal", "Applied", "main@sha1:1a2b3c4", { eventTime: "2026-01-01T23:55:00Z" }),
    involvedObject: { kind: "Town", name: "hq" },
    metadata: { name: "e3", namespace: "default" },
  },
];

function event(
  name: string,
  type: string,
  reason: string,
  message: string,
  times: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return {
    metadata: { name, namespace: "api" },
    involvedObject: { kind: "Agent", name: "toast", namespace: "api", uid: "a1" },
    type,
    reason,
    message,
    source: { component: "workers" },
    ...times,
  };
}

function townWithEvents(): FakeTown {
  const town = sampleTown();
  town.events.push(...EVENTS);
  return town;
}

async function transcriptOf(lines: readonly string[], town: () => FakeTown = townWithEvents): Promise<string> {
  const runs = [];
  for (const line of lines) runs.push({ line, ...(await runTown(town(), line)) });
  return transcript(runs);
}

describe("reading commands", () => {
  it("given objects, when described, then every field, condition and event is shown", async () => {
    const lines = [
      "describe pool crew",
      "describe agent/toast -n api",
      "describe bead api-x1",
      "describe rigs --no-events",
      "describe pool nope",
      "describe pools -l team=none",
    ];
    await expect(await transcriptOf(lines)).toMatchFileSnapshot("../../golden/cli/describe.txt");
  });

  it("given an object, when described, then only its own events are asked for", async () => {
    const town = townWithEvents();
    await runTown(town, "describe agent ace");
    expect(town.asked).toContain(
      "GET /api/v1/namespaces/api/events?fieldSelector=involvedObject.name=ace,involvedObject.namespace=api,involvedObject.kind=Agent,involvedObject.uid=a2",
    );
  });

  it("given events, when listed, then they are in order of time with their repetitions", async () => {
    const lines = [
      "events",
      "events -n api --types Warning",
      "events --for agent/toast --no-headers",
      "events --for rig/web",
      "events --for toast",
      "feed --once",
      "feed --once --tail 1",
      "feed --once -o json --tail=1",
    ];
    await expect(await transcriptOf(lines)).toMatchFileSnapshot("../../golden/cli/events.txt");
  });

  it("given new events, when watching, then each is printed under the first header", async () => {
    const town = townWithEvents();
    const first = town.events[1];
    town.routes.set("/api/v1/namespaces/api/events", (request) =>
      request.path.includes("watch=true")
        ? {
            lines: [
              { type: "ADDED", object: EVENTS[0] },
              { type: "DELETED", object: first },
            ],
          }
        : { body: { metadata: { resourceVersion: "5" }, items: [first] } },
    );
    const { out } = await runTown(town, "events -w -n api");
    expect(out.match(/LAST SEEN/g)).toHaveLength(1);
    expect(out.trimEnd().split("\n")).toHaveLength(3);
    expect(town.asked.at(-1)).toContain("resourceVersion=5");
  });

  it("given a town, when its status is asked, then one screen tells it, and -o json the same", async () => {
    const lines = ["status", "status -o yaml"];
    await expect(await transcriptOf(lines)).toMatchFileSnapshot("../../golden/cli/status.txt");
    const { out } = await runTown(sampleTown(), "status -o json");
    expect(JSON.parse(out)).toMatchObject({
      town: { sync: "OutOfSync", health: "Degraded" },
      agents: [{ name: "toast", hook: "api-x1" }],
      problems: [{ reason: "NotApplied" }, { reason: "CloneFailed" }],
    });
  });

  it("given work under way, when the status is asked, then convoys, merges, sessions and open escalations are counted", async () => {
    const town = sampleTown();
    const work = (kind: string, group: string, name: string, spec: object, status: object): void => {
      town.objects.push({
        apiVersion: `${group}/v1alpha1`,
        kind,
        metadata: { name, namespace: "api", uid: name },
        spec: { ...spec },
        status: { ...status },
      });
    };
    const conditions = [{ type: "Ready", status: "True", reason: "Underway", message: "1 of 3 items are closed" }];
    work(
      "Convoy",
      "town.dev",
      "open",
      {},
      { progress: "1/3", working: 1, merging: 1, spent: "$1.00/$2.00", conditions },
    );
    work("Convoy", "town.dev", "ended", {}, { progress: "3/3", closedTime: "2026-01-01T00:00:00Z" });
    work(
      "MergeRequest",
      "work.town.dev",
      "api-m1",
      { bead: "api-x1", author: "api/polecats/toast" },
      { state: "Testing" },
    );
    work("MergeRequest", "work.town.dev", "api-m2", { bead: "api-x2" }, { state: "Merged" });
    work("Session", "work.town.dev", "toast", { agent: "toast" }, { state: "Running" });
    work("Escalation", "work.town.dev", "api-e1", { title: "which database?", severity: 1 }, { state: "open" });
    work("Escalation", "work.town.dev", "api-e2", { title: "settled", severity: 0 }, { state: "closed" });
    const { out } = await runTown(town, "status");
    expect(out).toMatch(/^Town hq: .*, 1 session running$/m);
    expect(out).toMatch(/^api {9}open {3}1\/3 {8}1 {9}1 {9}Underway {3}\$1\.00\/\$2\.00$/m);
    expect(out).toMatch(/^api {9}api-m1 {3}Testing {3}api-x1 {3}api\/polecats\/toast$/m);
    expect(out).toContain("Severity1");
    for (const over of ["ended", "api-m2", "settled"]) expect(out).not.toContain(over);
  });

  it("given owner references and links, when a tree is asked, then objects stand below what they belong to", async () => {
    await expect(await transcriptOf(["tree rig api", "tree pool/crew", "tree rig nope"])).toMatchFileSnapshot(
      "../../golden/cli/tree.txt",
    );
  });

  it("given the server's types, when listed, then all forms show them", async () => {
    const lines = [
      "api-resources",
      "api-resources -o wide --api-group=town.dev",
      "api-resources -o name --namespaced=false",
      "api-resources --verbs=bind --no-headers",
    ];
    await expect(await transcriptOf(lines)).toMatchFileSnapshot("../../golden/cli/api-resources.txt");
  });

  it("given versions, when asked, then the client's and the daemon's are printed", async () => {
    const town = sampleTown();
    town.routes.set("/version", () => ({ body: { gitVersion: "v1.32.0+town.9.9.9" } }));
    expect((await runTown(town, "version")).out).toMatch(
      /^town \S+ \(Node v\d+.*\)\ndaemon 9\.9\.9 \(Kubernetes API v1\.32\.0\)\n$/,
    );
    expect((await runTown(town, "version --client")).out).not.toContain("daemon");
    expect(JSON.parse((await runTown(town, "version -o json")).out)).toMatchObject({
      server: { gitVersion: "v1.32.0+town.9.9.9" },
    });
  });
});

describe("logs", () => {
  const path = "/api/v1/namespaces/api/pods/ace/log";

  it("given an agent, when its output is asked, then it is read from its pod, without control sequences", async () => {
    const town = sampleTown();
    town.routes.set(path, () => ({ text: "one\u001b[2J\n\u001b[31mtwo\u001b[0m\nthree" }));
    for (const line of ["logs ace", "logs agent ace", "logs agent/ace", "logs api/polecats/ace", "logs ace -n api"]) {
      expect(await runTown(town, line)).toEqual({ code: 0, out: "one\ntwo\nthree\n", err: "" });
    }
  });

  it("given flags, when run, then they go to the server", async () => {
    const town = sampleTown();
    town.routes.set(path, () => ({ text: "" }));
    await runTown(town, "logs ace -f --tail=5 --since 2m --previous --timestamps");
    expect(town.asked.at(-1)).toBe(
      `GET ${path}?follow=true&tailLines=5&previous=true&timestamps=true&sinceSeconds=120`,
    );
  });

  it("given what has no output, when asked, then it says so", async () => {
    expect(await runTown(sampleTown(), "logs rig/api")).toMatchObject({
      code: 2,
      err: expect.stringContaining("only agents, sessions and merge requests") as string,
    });
    expect(await runTown(sampleTown(), "logs")).toMatchObject({ code: 2 });
    expect(await runTown(sampleTown(), "logs nobody")).toMatchObject({ code: 4 });
  });
});

describe("explain", () => {
  const schemas = {
    Pool: {
      type: "object",
      description: "A role times a count.",
      "x-kubernetes-group-version-kind": [{ group: "town.dev", version: "v1alpha1", kind: "AgentPool" }],
      required: ["spec"],
      properties: {
        metadata: { description: "Standard metadata.", allOf: [{ $ref: "#/components/schemas/Meta" }] },
        spec: {
          type: "object",
          description: "What is wanted. ".repeat(8).trim(),
          required: ["role"],
          properties: {
            role: { type: "string", description: "Role of its agents." },
            replicas: { type: "integer", description: "How many.", default: 1 },
            mode: { type: "string", enum: ["Auto", "Off"], default: "Auto", description: "When it runs." },
            env: {
              type: "array",
              description: "Environment.",
              items: {
                type: "object",
                required: ["name"],
                properties: { name: { type: "string", description: "Variable." } },
              },
            },
            labels: { type: "object", description: "Labels.", additionalProperties: { type: "string" } },
          },
        },
      },
    },
    Meta: { type: "object", properties: { name: { type: "string", description: "Its name." } } },
  };

  function townWithSchema(): FakeTown {
    const town = sampleTown();
    town.routes.set("/openapi/v3", () => ({
      body: { paths: { "apis/town.dev/v1alpha1": { serverRelativeURL: "/openapi/v3/apis/town.dev/v1alpha1?hash=1" } } },
    }));
    town.routes.set("/openapi/v3/apis/town.dev/v1alpha1", () => ({ body: { components: { schemas } } }));
    return town;
  }

  it("given a schema, when types and fields are explained, then descriptions, types and choices are shown", async () => {
    const lines = [
      "explain pool",
      "explain pool.spec",
      "explain pool --recursive",
      "explain pool.spec.env.name",
      "explain pool.spec.mode",
      "explain pool.metadata",
      "explain pool.spec.rloe",
      "explain nothing",
      "explain",
      "explain rig",
    ];
    await expect(await transcriptOf(lines, townWithSchema)).toMatchFileSnapshot("../../golden/cli/explain.txt");
  });
});
