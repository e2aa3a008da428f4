import { describe, expect, it } from "vitest";
import type { FakeAnswer } from "../fake-town.ts";
import { runTown } from "../run-town.ts";
import { sampleTown, transcript } from "../sample-town.ts";

const POOL = "/apis/town.dev/v1alpha1/namespaces/api/agentpools/crew";
const POOLS = "/apis/town.dev/v1alpha1/namespaces/api/agentpools";

describe("delete", () => {
  it("given lines of every form, when run, then it prints what kubectl prints", async () => {
    const lines = [
      "delete pool crew",
      "delete pool/crew agent/ace",
      "delete agents -n api --all",
      "delete agents --all",
      "delete agents --all -A --dry-run",
      "delete pools -l team=core -o name",
      "delete pools -l team=none",
      "delete pool nope",
      "delete pool nope --ignore-not-found",
      "delete agent toast",
      "delete pools",
      "delete pool crew --all",
      "delete",
    ];
    const runs = [];
    for (const line of lines) runs.push({ line, ...(await runTown(sampleTown(), line)) });
    await expect(transcript(runs)).toMatchFileSnapshot("../../golden/cli/delete.txt");
  });

  it("given an object, when deleted, then the request carries its uid and the cascade", async () => {
    const town = sampleTown();
    await runTown(town, "delete pool crew --cascade=foreground");
    const { body } = town.requests.find(({ method }) => method === "DELETE")!;
    expect(JSON.parse(body!)).toMatchObject({ propagationPolicy: "Foreground", preconditions: { uid: "p1" } });
  });

  it("given finalizers, when deleted, then it waits until the object is gone", async () => {
    const town = sampleTown();
    const crew = town.objects.find(({ metadata }) => metadata.name === "crew")!;
    town.routes.set(
      POOL,
      (request): FakeAnswer => ({
        body:
          request.method === "DELETE"
            ? { ...crew, metadata: { ...crew.metadata, deletionTimestamp: "2026-01-02T00:00:00Z" } }
            : crew,
      }),
    );
    const bookmark = { type: "BOOKMARK", object: {} };
    const watched: FakeAnswer[] = [
      { lines: [bookmark, { type: "MODIFIED", object: crew }] },
      { lines: [{ type: "DELETED", object: crew }] },
    ];
    let watches = 0;
    town.routes.set(
      POOLS,
      (request): FakeAnswer =>
        request.path.includes("watch=true")
          ? watched[watches++]!
          : { body: { kind: "AgentPoolList", metadata: { resourceVersion: "8" }, items: [crew] } },
    );
    expect(await runTown(town, "delete pool crew -n api")).toMatchObject({
      code: 0,
      out: 'agentpool.town.dev "crew" deleted\n',
      err: "",
    });
    expect(watches).toBe(2);
  });

  it("given an object made anew under the name, when waiting, then another uid ends the wait", async () => {
    const town = sampleTown();
    const crew = town.objects.find(({ metadata }) => metadata.name === "crew")!;
    town.routes.set(POOL, (): FakeAnswer => ({ body: crew }));
    town.routes.set(
      POOLS,
      (): FakeAnswer => ({
        body: {
          metadata: { resourceVersion: "8" },
          items: [{ ...crew, metadata: { ...crew.metadata, uid: "another" } }],
        },
      }),
    );
    expect(await runTown(town, "delete pool crew -n api")).toMatchObject({ code: 0 });
  });

  it("given --wait=false, when finalizers hold it, then it returns at once", async () => {
    const town = sampleTown();
    const crew = town.objects.find(({ metadata }) => metadata.name === "crew")!;
    town.routes.set(POOL, (): FakeAnswer => ({ body: crew }));
    expect(await runTown(town, "delete pool crew -n api --wait=false")).toMatchObject({ code: 0 });
    expect(town.asked).toHaveLength(2);
  });
});
