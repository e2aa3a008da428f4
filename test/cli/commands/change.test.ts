import { describe, expect, it } from "vitest";
import type { FakeTown } from "../fake-town.ts";
import { runTown } from "../run-town.ts";
import { sampleTown, transcript } from "../sample-town.ts";

function patches(town: FakeTown): readonly unknown[] {
  return town.requests
    .filter(({ method }) => method === "PATCH")
    .map(({ path, contentType, body }) => ({
      path: decodeURIComponent(path),
      contentType,
      body: JSON.parse(body ?? "null") as unknown,
    }));
}

const POOL = "/apis/town.dev/v1alpha1/namespaces/api/agentpools/crew";
const MERGE = "application/merge-patch+json";

describe("changes of objects", () => {
  const rows: readonly {
    readonly line: string;
    readonly path: string;
    readonly body: unknown;
    readonly because: string;
  }[] = [
    {
      line: "scale pool crew --replicas=5",
      path: `${POOL}/scale?fieldManager=town-scale`,
      body: { spec: { replicas: 5 } },
      because: "scale goes to the subresource, as kubectl's",
    },
    {
      line: "scale pool/crew --replicas 5 --current-replicas 3",
      path: `${POOL}/scale?fieldManager=town-scale`,
      body: { metadata: { resourceVersion: "4" }, spec: { replicas: 5 } },
      because: "the version guards the comparison",
    },
    {
      line: "label pool crew tier=a note-",
      path: `${POOL}?fieldManager=town-label`,
      body: { metadata: { labels: { tier: "a", note: null } } },
      because: "null removes in a merge patch",
    },
    {
      line: "label pool crew team=web --overwrite",
      path: `${POOL}?fieldManager=town-label`,
      body: { metadata: { labels: { team: "web" } } },
      because: "--overwrite replaces",
    },
    {
      line: "annotate pool crew a/b=c=d",
      path: `${POOL}?fieldManager=town-annotate`,
      body: { metadata: { annotations: { "a/b": "c=d" } } },
      because: "only the first = divides",
    },
    {
      line: "suspend pool crew",
      path: `${POOL}?fieldManager=town-suspend`,
      body: { spec: { suspend: true } },
      because: "suspension is a field of the spec",
    },
    {
      line: "resume pool polecats",
      path: "/apis/town.dev/v1alpha1/namespaces/web/agentpools/polecats?fieldManager=town-resume",
      body: { spec: { suspend: false } },
      because: "and so is its end",
    },
    {
      line: "suspend",
      path: "/apis/town.dev/v1alpha1/towns/hq?fieldManager=town-suspend",
      body: { spec: { suspend: true } },
      because: "without arguments it is the town",
    },
    {
      line: "reconcile rig api",
      path: "/apis/town.dev/v1alpha1/rigs/api?fieldManager=town-reconcile",
      body: { metadata: { annotations: { "runtime.town.dev/reconcile-requested-at": "2026-01-02T00:00:00.000Z" } } },
      because: "a poke is a runtime annotation, which makes no commit",
    },
    {
      line: "reconcile --allow-prune=main@sha1:1a2b3c4",
      path: "/apis/town.dev/v1alpha1/towns/hq?fieldManager=town-reconcile",
      body: {
        metadata: {
          annotations: {
            "runtime.town.dev/reconcile-requested-at": "2026-01-02T00:00:00.000Z",
            "runtime.town.dev/allow-prune": "main@sha1:1a2b3c4",
          },
        },
      },
      because: "held prunes are let go by revision",
    },
    {
      line: 'patch pool crew -p {"spec":{"replicas":9}} --dry-run',
      path: `${POOL}?fieldManager=town-patch&dryRun=All`,
      body: { spec: { replicas: 9 } },
      because: "--dry-run is the server's",
    },
  ];

  for (const { line, path, body, because } of rows) {
    it(`given \`town ${line}\`, when run, then it sends one patch: ${because}`, async () => {
      const town = sampleTown();
      const { code, err } = await runTown(town, line);
      expect({ code, err, patches: patches(town) }).toEqual({
        code: 0,
        err: "",
        patches: [{ path, contentType: MERGE, body }],
      });
    });
  }

  it("given --type json, when patching, then the operations go as they are", async () => {
    const town = sampleTown();
    await runTown(town, [
      "patch",
      "pool",
      "crew",
      "--type=json",
      "-p",
      '[{"op":"replace","path":"/spec/replicas","value":2}]',
    ]);
    expect(patches(town)).toMatchObject([{ contentType: "application/json-patch+json", body: [{ op: "replace" }] }]);
  });

  it("given every sort of change, when run, then messages and errors read as kubectl's", async () => {
    const lines = [
      "scale pool crew --replicas=5 --dry-run",
      "scale pool crew --replicas=5 -o name",
      "scale pool crew",
      "scale pool crew --replicas=-1",
      "scale pool crew --replicas=1.5",
      "scale pool crew --replicas=2 --current-replicas=7",
      "scale rig api --replicas=2",
      "scale pool nope --replicas=2",
      "label pool crew team=web",
      "label pool crew",
      "label pool crew --list",
      "label agents -l x=y a=b",
      "label agents a=b",
      "label agents --all a=b",
      "label agent toast a=b",
      "label agent toast -n web a=b",
      "annotate pool crew note- -o yaml",
      "suspend pool polecats",
      "suspend pool polecats --error-unchanged",
      "patch pool crew",
      "patch pool crew -p {oops",
      "patch pool crew -p []",
      "patch pool crew --type=json -p {}",
    ];
    const runs = [];
    for (const line of lines) runs.push({ line, ...(await runTown(sampleTown(), line)) });
    await expect(transcript(runs)).toMatchFileSnapshot("../../golden/cli/changes.txt");
  });

  it("given a server that changed nothing, when labeled, then it says so and exits 3 if asked", async () => {
    const town = sampleTown();
    expect(await runTown(town, "label pool crew team=core")).toMatchObject({
      code: 0,
      out: "agentpool.town.dev/crew not labeled\n",
    });
    expect(await runTown(town, "label pool crew team=core --error-unchanged")).toMatchObject({ code: 3 });
  });
});
