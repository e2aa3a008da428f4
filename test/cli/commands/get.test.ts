import { describe, expect, it } from "vitest";
import type { FakeAnswer, FakeTown } from "../fake-town.ts";
import { runTown } from "../run-town.ts";
import { sampleTown, transcript } from "../sample-town.ts";

async function transcriptOf(lines: readonly string[]): Promise<string> {
  const runs = [];
  for (const line of lines) runs.push({ line, ...(await runTown(sampleTown(), line)) });
  return transcript(runs);
}

describe("get", () => {
  it("given a town, when listing in every table form, then it prints aligned tables", async () => {
    const lines = [
      "get pools",
      "get agentpools -n api",
      "get pools -o wide",
      "get pools --no-headers",
      "get pools --show-labels -n api",
      "get pools -L team,town.dev/tier",
      "get pool crew",
      "get pool/crew agent/ace",
      "get rigs,pools",
      "get agents toast",
      "get agents -n api toast ace",
      "get beads",
      "get pools -l team=core",
      "get pools --field-selector metadata.namespace=web",
      "get pools --sort-by .spec.role",
      "get pools --sort-by={.metadata.creationTimestamp}",
      "get beads -n web",
      "get widgets",
    ];
    await expect(await transcriptOf(lines)).toMatchFileSnapshot("../../golden/cli/get-tables.txt");
  });

  it("given objects, when asked for another format, then it prints them in it", async () => {
    const lines = [
      "get pool crew -o yaml",
      "get pool crew -ojson",
      "get rigs -o=name",
      "get rigs -o jsonpath={.items[*].metadata.name}",
      "get pool crew -o jsonpath={.spec.replicas}",
      "get pools -o custom-columns=WHO:.metadata.name,HOW-MANY:.spec.replicas,NOTE:.metadata.annotations.note",
      "get bead api-x1 -o yaml",
      "get rigs -n api -o yaml",
    ];
    await expect(await transcriptOf(lines)).toMatchFileSnapshot("../../golden/cli/get-formats.txt");
  });

  it("given wrong lines, when run, then each says what is wrong and what to do", async () => {
    const lines = [
      "get",
      "get agnts",
      "get nonsense",
      "get pool nope",
      "get pool crew nope",
      "get pool nope --ignore-not-found",
      "get pool crew -l team=core",
      "get pool/crew extra",
      "get pools -o table",
      "get pools -o jsonpath=",
      "get pools -o jsonpath={.items[",
      "get pools -o custom-columns=oops",
      "get pools,rigs -w",
      "get pools --nope",
      "get pools --watc",
    ];
    await expect(await transcriptOf(lines)).toMatchFileSnapshot("../../golden/cli/get-errors.txt");
  });

  it("given one of Town's own types, when listing, then the listing is the only request", async () => {
    const town = sampleTown();
    await runTown(town, "get agents -n api");
    expect(town.requests.map(({ path }) => path)).toEqual(["/apis/work.town.dev/v1alpha1/namespaces/api/agents"]);
  });

  it("given a server without that type, when listing, then it asks what there is and says so", async () => {
    const town = sampleTown();
    const gone = (): FakeAnswer => ({ status: 404, text: "404 page not found" });
    town.routes.set("/apis/work.town.dev/v1alpha1/agents", gone);
    const { code, err } = await runTown(town, "get agents");
    expect(town.requests.map(({ path }) => path).slice(0, 2)).toEqual(["/apis/work.town.dev/v1alpha1/agents", "/apis"]);
    expect(code).not.toBe(0);
    expect(err).toContain("404 page not found");
  });

  it("given several types, when listing without a namespace, then cluster-scoped ones have no NAMESPACE column", async () => {
    const { out } = await runTown(sampleTown(), "get rigs,pools");
    const [rigs = "", pools = ""] = out.split("\n\n");
    expect(rigs.startsWith("NAME")).toBe(true);
    expect(pools.startsWith("NAMESPACE")).toBe(true);
  });

  it("given a terminal of 60 columns, when a title is long, then its cell is cut and the names are whole", async () => {
    const town = sampleTown();
    const streams = { columns: 60, outIsTerminal: true };
    let out = "";
    const { code } = await runTown(town, "get beads", {
      env: { NO_COLOR: "1" },
      streams: {
        ...streams,
        out: (text) => void (out += text),
        err: () => {},
        errIsTerminal: false,
        inIsTerminal: false,
        readStdin: () => Promise.resolve(""),
      },
    });
    expect(code).toBe(0);
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(60);
    expect(out).toContain("api-x1");
  });
});

describe("get --watch", () => {
  const row = (state: string): unknown => ({
    kind: "Table",
    rows: [{ cells: ["toast", state, "api-x1", "60m"], object: { metadata: { name: "toast", namespace: "api" } } }],
  });

  function watched(events: readonly (readonly unknown[])[]): FakeTown {
    const town = sampleTown();
    const path = "/apis/work.town.dev/v1alpha1/namespaces/api/agents";
    let watches = 0;
    const list = town.routes;
    list.set(path, (request) => {
      if (request.path.includes("watch=true")) return { lines: events[watches++] ?? [] };
      list.delete(path);
      const answer = town.answer(request);
      list.set(path, list.get(path) ?? handler);
      return answer;
    });
    const handler = list.get(path)!;
    return town;
  }

  it("given changes, when watching, then it prints the list, then each change under one header", async () => {
    const town = watched([
      [
        { type: "MODIFIED", object: row("Stalled") },
        { type: "BOOKMARK", object: {} },
        { type: "MODIFIED", object: row("Working") },
      ],
    ]);
    const { out, code, err } = await runTown(town, "get agents -wn api");
    expect(out).toBe(
      "NAME    STATE     HOOK     AGE\ntoast   Working   api-x1   60m\nace     Idle      <none>   60m\ntoast   Stalled   api-x1   60m\ntoast   Working   api-x1   60m\n",
    );
    expect(code).toBe(6);
    expect(err).toContain("the server ended the watch");
  });

  it("given --watch-only, when watching, then the present state is left out", async () => {
    const town = watched([[{ type: "MODIFIED", object: row("Stalled") }]]);
    const { out } = await runTown(town, "get agents -n api --watch-only");
    expect(out.split("\n").slice(1)).toEqual(["toast   Stalled   api-x1   60m", ""]);
  });

  it("given an expired version, when watching, then it lists again instead of ending", async () => {
    const expired = { type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired", message: "too old" } };
    const town = watched([[expired], [{ type: "MODIFIED", object: row("Stalled") }]]);
    const { out } = await runTown(town, "get agents -n api -w");
    expect(out.match(/^toast {3}Working/gm)).toHaveLength(2);
    expect(out).toContain("Stalled");
  });

  it("given -o json, when watching, then every object is printed", async () => {
    const town = sampleTown();
    const path = "/apis/work.town.dev/v1alpha1/namespaces/api/agents";
    const lines = [{ type: "MODIFIED", object: { kind: "Agent", metadata: { name: "toast" } } }];
    town.routes.set(path, (request) =>
      request.path.includes("watch=true")
        ? { lines }
        : { body: { kind: "AgentList", metadata: { resourceVersion: "1" }, items: [] } },
    );
    const { out } = await runTown(town, "get agents -n api -w -o json");
    expect(JSON.parse(out)).toEqual(lines[0]!.object);
  });
});
