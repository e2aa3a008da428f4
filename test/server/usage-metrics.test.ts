import { describe, expect, it } from "vitest";
import type { MachineUse } from "../../src/ports/machine-use.ts";
import { type WidgetTown, widgetTown } from "./widget-town.ts";

const MIB = 1024 ** 2;

/** A machine on which pid 7 and 8 run; it counts how often it is read. */
function machine(): MachineUse & { readonly reads: () => number } {
  let reads = 0;
  return {
    processors: 4,
    totalMemoryBytes: 1024 * MIB,
    reads: () => reads,
    read: () => {
      reads += 1;
      return Promise.resolve({
        atMs: Date.UTC(2026, 0, 2),
        windowMs: 2_500,
        machine: { cpuMilli: 1_500, memoryBytes: 512 * MIB },
        processors: 4,
        totalMemoryBytes: 1024 * MIB,
        treeOf: (pid) => (pid === 7 || pid === 8 ? { cpuMilli: pid * 10, memoryBytes: pid * MIB } : undefined),
      });
    },
  };
}

async function town(use = machine()): Promise<WidgetTown> {
  const made = await widgetTown({ api: { machine: use } });
  const publish = (name: string, namespace: string, status: Record<string, unknown>): Promise<void> =>
    made.store.publish({ kind: "Session", namespace, name }, { labels: { pool: name }, spec: {}, status });
  await publish("toast", "api", { state: "Running", pid: 7 });
  await publish("max", "web", { state: "Running", pid: 8 });
  await publish("gone", "api", { state: "Running", pid: 9 });
  await publish("done", "api", { state: "Exited", pid: 7 });
  return made;
}

async function get({ api }: WidgetTown, path: string, method = "GET") {
  const response = await api.app.request(path, { method, headers: { authorization: "Bearer view" } });
  return { status: response.status, body: (await response.json()) as Record<string, never> & { items: never[] } };
}

const PODS = "/apis/metrics.k8s.io/v1beta1";

describe("metrics.k8s.io", () => {
  it("given sessions, when listed, then those whose processes run have what they take, in kubectl's quantities", async () => {
    const { body } = await get(await town(), `${PODS}/pods`);
    expect(body).toMatchObject({ kind: "PodMetricsList", apiVersion: "metrics.k8s.io/v1beta1" });
    expect(body.items).toEqual([
      {
        apiVersion: "metrics.k8s.io/v1beta1",
        kind: "PodMetrics",
        metadata: {
          name: "toast",
          namespace: "api",
          labels: { pool: "toast" },
          creationTimestamp: "2026-01-02T00:00:00Z",
        },
        timestamp: "2026-01-02T00:00:00Z",
        window: "2.5s",
        containers: [{ name: "agent", usage: { cpu: "70m", memory: "7168Ki" } }],
      },
      expect.objectContaining({ metadata: expect.objectContaining({ name: "max", namespace: "web" }) }),
    ]);
  });

  it("given a namespace, labels or a name, when asked, then only those are told, and one that does not run is 404", async () => {
    const made = await town();
    const names = async (path: string): Promise<unknown> =>
      (await get(made, path)).body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
    expect(await names(`${PODS}/namespaces/web/pods`)).toEqual(["max"]);
    expect(await names(`${PODS}/pods?labelSelector=pool%3Dtoast`)).toEqual(["toast"]);
    expect((await get(made, `${PODS}/namespaces/api/pods/toast`)).body).toMatchObject({ kind: "PodMetrics" });
    expect((await get(made, `${PODS}/namespaces/api/pods/done`)).status).toBe(404);
    expect((await get(made, `${PODS}/namespaces/api/pods/none`)).status).toBe(404);
  });

  it("given the machine, when its node is read, then metrics and the node agree on its name, and say what there is", async () => {
    const made = await town();
    const { body } = await get(made, `${PODS}/nodes`);
    expect(body.items).toMatchObject([
      { metadata: { name: "localhost" }, usage: { cpu: "1500m", memory: "524288Ki" } },
    ]);
    expect((await get(made, "/api/v1/nodes/localhost")).body).toMatchObject({
      kind: "Node",
      status: { allocatable: { cpu: "4", memory: "1048576Ki" } },
    });
    expect((await get(made, `${PODS}/nodes/localhost`)).status).toBe(200);
    expect((await get(made, `${PODS}/nodes/other`)).status).toBe(404);
  });

  it("given nobody who asks, then the machine is not read; watches and writes are refused without reading it", async () => {
    const use = machine();
    const made = await town(use);
    await get(made, "/apis");
    await get(made, "/api/v1/nodes");
    expect((await get(made, `${PODS}/pods?watch=true`)).status).toBe(405);
    expect((await get(made, `${PODS}/namespaces/api/pods/toast`, "DELETE")).body).toMatchObject({
      message: expect.stringContaining("metrics are measured"),
    });
    expect(use.reads()).toBe(0);
  });

  it("given a server that measures nothing, then it does not offer the group", async () => {
    const made = await widgetTown();
    expect((await get(made, `${PODS}/nodes`).catch(() => ({ status: 404 }))).status).toBe(404);
    expect(JSON.stringify((await get(made, "/apis")).body)).not.toContain("metrics.k8s.io");
  });
});
