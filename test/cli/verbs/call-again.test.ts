import { describe, expect, test } from "vitest";
import type { Api, ApiRequest } from "../../../src/cli/connection/api.ts";
import type { CommandContext } from "../../../src/cli/context.ts";
import { CliError, EXIT } from "../../../src/cli/exit-codes.ts";
import { callAgain } from "../../../src/cli/verbs/call-again.ts";

const good = { status: 200, contentType: "application/json", text: '{"text":"done"}', warnings: [] };

/** A daemon whose answers come to the reasons given, one a call, and then to a good one. */
function daemon(...reasons: readonly string[]) {
  const bodies: string[] = [];
  let waitedMs = 0;
  const left = [...reasons];
  const send = async ({ body }: ApiRequest) => {
    bodies.push(body ?? "");
    const reason = left.shift();
    if (reason === "Exit6") return { ...good, text: '{"text":"","exitCode":6}' };
    if (reason === "NotReady") return { ...good, status: 503, text: "not open yet" };
    if (reason !== undefined) throw new CliError(EXIT.unreachable, reason, reason);
    return good;
  };
  const context = {
    api: () => ({ send }) as unknown as Api,
    signal: new AbortController().signal,
    requestId: () => "request-1",
    sleep: (ms: number) => {
      waitedMs += ms;
      return Promise.resolve();
    },
  } as unknown as CommandContext;
  return { context, bodies, waited: () => waitedMs };
}

describe("a verb whose requests can be made again", () => {
  test("given an answer that was lost while the daemon restarts, when called, then the same request is made until it is answered", async () => {
    const { context, bodies } = daemon("ServerUnreachable", "ServerGone", "ServerGone");
    expect(await callAgain(context, "prime", {})).toEqual({ text: "done" });
    expect(bodies).toHaveLength(4);
    expect(new Set(bodies)).toEqual(new Set(['{"args":{"request":"request-1"}}']));
  });

  test("given a daemon that is back and has not opened its stores, when called, then the same request is made until it has", async () => {
    const { context, bodies } = daemon("ServerUnreachable", "NotReady", "Exit6");
    expect(await callAgain(context, "bd", {})).toEqual({ text: "done" });
    expect(bodies).toHaveLength(4);
    const first = daemon("NotReady");
    await expect(callAgain(first.context, "bd", {})).rejects.toMatchObject({ code: 503 });
    expect(await callAgain(daemon("Exit6").context, "bd", {})).toMatchObject({ exitCode: 6 });
  });

  test("given a daemon that is not there, when called, then it is an error at once", async () => {
    const { context, bodies } = daemon("ServerGone");
    await expect(callAgain(context, "prime", {})).rejects.toMatchObject({ reason: "ServerGone" });
    expect(bodies).toHaveLength(1);
  });

  test("given a daemon that does not come back, when called, then the loss is told after 20 s", async () => {
    const { context, waited } = daemon("ServerUnreachable", ...Array.from({ length: 100 }, () => "ServerGone"));
    await expect(callAgain(context, "prime", {})).rejects.toMatchObject({ reason: "ServerUnreachable" });
    expect(waited()).toBe(20_000);
  });

  test("given a caller that cannot name its requests, when the answer is lost, then nothing is made again", async () => {
    const { context, bodies } = daemon("ServerUnreachable");
    const { requestId: _none, ...nameless } = context;
    await expect(callAgain(nameless, "prime", {})).rejects.toMatchObject({ reason: "ServerUnreachable" });
    expect(bodies).toEqual(['{"args":{}}']);
  });
});
