import { describe, expect, it } from "vitest";
import type { FakeAnswer, FakeObject, FakeTown } from "../fake-town.ts";
import { runTown } from "../run-town.ts";
import { sampleTown } from "../sample-town.ts";

const POOLS = "/apis/town.dev/v1alpha1/namespaces/api/agentpools";

function crewWith(status: Readonly<Record<string, unknown>>, generation = 2): FakeObject {
  return {
    apiVersion: "town.dev/v1alpha1",
    kind: "AgentPool",
    metadata: { name: "crew", namespace: "api", uid: "p1", generation },
    spec: {},
    status,
  };
}

function ready(status: string, observedGeneration = 2): Readonly<Record<string, unknown>> {
  return { conditions: [{ type: "Ready", status, reason: "R", message: "m", observedGeneration }] };
}

/** A pool that is first as listed, then as each line of the watch says. */
function changing(first: FakeObject | undefined, then: readonly unknown[]): FakeTown {
  const town = sampleTown();
  town.routes.set(
    POOLS,
    (request): FakeAnswer =>
      request.path.includes("watch=true")
        ? { lines: then }
        : { body: { metadata: { resourceVersion: "8" }, items: first === undefined ? [] : [first] } },
  );
  return town;
}

describe("wait", () => {
  it("given the condition is there, when waiting, then it is met at once", async () => {
    const town = sampleTown();
    expect(await runTown(town, "wait pool crew --for=condition=Ready")).toEqual({
      code: 0,
      out: "agentpool.town.dev/crew condition met\n",
      err: "",
    });
    expect(town.asked.some((asked) => asked.includes("watch=true"))).toBe(false);
  });

  it("given a change, when waiting, then the watch meets it", async () => {
    const town = changing(crewWith(ready("False")), [
      { type: "MODIFIED", object: crewWith(ready("Unknown")) },
      { type: "MODIFIED", object: crewWith(ready("True")) },
    ]);
    expect(await runTown(town, "wait pool/crew -n api --for=condition=ready")).toMatchObject({ code: 0 });
  });

  it("given a condition judged for an older generation, when waiting, then it does not count", async () => {
    const town = changing(crewWith(ready("True", 1)), [{ type: "MODIFIED", object: crewWith(ready("True", 2)) }]);
    await runTown(town, "wait pool crew -n api --for=condition=Ready");
    expect(town.asked.filter((asked) => asked.includes("watch=true"))).toHaveLength(1);
  });

  it("given another status is awaited, when it is there, then it is met", async () => {
    const town = changing(crewWith(ready("False")), []);
    expect(await runTown(town, "wait pool crew -n api --for=condition=Ready=False")).toMatchObject({ code: 0 });
  });

  it("given a path, when it has the value, then it is met", async () => {
    for (const goal of [
      "jsonpath={.spec.replicas}=3",
      "jsonpath={.spec.role}",
      "jsonpath=.spec.role=crew",
      'jsonpath={.spec.role}="crew"',
    ]) {
      expect(await runTown(sampleTown(), ["wait", "pool", "crew", `--for=${goal}`])).toMatchObject({
        code: 0,
        err: "",
      });
    }
  });

  it("given nothing changes, when the time is over, then it exits 124 and says for what it waited", async () => {
    const town = changing(crewWith(ready("False")), []);
    const { code, err } = await runTown(town, "wait pool crew -n api --for=condition=Ready --timeout=0s");
    expect(code).toBe(124);
    expect(err).toContain("timed out waiting for the condition Ready of agentpool.town.dev/crew");
  });

  it("given an object that is gone already, when awaiting its deletion, then it is met", async () => {
    expect(await runTown(sampleTown(), "wait pool nope --for=delete")).toMatchObject({
      code: 0,
      out: "agentpool.town.dev/nope condition met\n",
    });
  });

  it("given an object, when it is deleted while waiting, then it is met", async () => {
    const town = changing(crewWith({}), [{ type: "DELETED", object: crewWith({}) }]);
    expect(await runTown(town, "wait pool crew -n api --for=delete")).toMatchObject({ code: 0 });
  });

  it("given no object yet, when awaiting its creation, then the watch meets it", async () => {
    const town = changing(undefined, [{ type: "ADDED", object: crewWith({}) }]);
    expect(await runTown(town, "wait pool crew -n api --for=create")).toMatchObject({
      code: 0,
      out: "agentpool.town.dev/crew created\n",
    });
  });

  it("given a terminal, when conditions change, then each change is told on stderr", async () => {
    const town = changing(crewWith(ready("False")), [{ type: "MODIFIED", object: crewWith(ready("True")) }]);
    let told = "";
    const streams = {
      out: () => {},
      err: (text: string) => void (told += text),
      outIsTerminal: true,
      errIsTerminal: true,
      inIsTerminal: true,
      columns: 80,
      readStdin: () => Promise.resolve(""),
    };
    await runTown(town, "wait pool crew -n api --for=condition=Ready", { streams });
    expect(told).toBe("crew: Ready=False R: m\ncrew: Ready=True R: m\n");
  });

  it("given wrong goals, when run, then they are usage errors", async () => {
    for (const goal of ["", "--for=", "--for=sunshine", "--for=jsonpath=", "--for=condition="]) {
      expect(await runTown(sampleTown(), `wait pool crew ${goal}`)).toMatchObject({ code: 2 });
    }
    expect(await runTown(sampleTown(), "wait pool crew --for=delete --timeout=soon")).toMatchObject({
      code: 2,
      err: expect.stringContaining('"soon" is no duration') as string,
    });
  });
});
