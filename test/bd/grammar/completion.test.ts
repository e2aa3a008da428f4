import { describe, expect, test } from "vitest";
import { bdWorld, type BdWorld } from "../bd-world.ts";
import { aboutBd } from "../../../src/bd/run-bd.ts";

/** `api-a00002` is open and labelled, `api-a00003` closed. */
async function shop(): Promise<BdWorld> {
  const bd = await bdWorld();
  await bd.make("open", "-l", "backend,basket");
  await bd.make("closed");
  await bd.out("close", "api-a00003");
  await bd.out("config", "set", "status.custom", "in_review:wip");
  return bd;
}

const offered = async (bd: BdWorld, ...words: readonly string[]): Promise<readonly string[]> =>
  (await bd.out("__complete", ...words)).split("\n").filter((word) => word !== "");

describe("what a shell offers behind bd", () => {
  test.each([
    [["cl"], ["claim", "close"]],
    [["label", "re"], ["remove"]],
    [
      ["label", "list"],
      ["list", "list-all"],
    ],
    [
      ["help", "qu"],
      ["query", "quickstart"],
    ],
    [
      ["create", "--desi"],
      ["--design", "--design-file"],
    ],
    [["create", "-t", "e"], ["epic"]],
    [
      ["create", "x", "--priority", ""],
      ["0", "1", "2", "3", "4"],
    ],
    [["dep", "add", "a", "b", "-t", "wa"], ["waits-for"]],
    [["list", "--assignee", ""], ["me"]],
    [["list", "--all", ""], []],
    [["import", ""], []],
    [["nonsense", ""], []],
  ])("given %j, when asked without a store, then it is %j", (words, expected) => {
    const told = aboutBd(["__complete", ...words], { version: "1", env: {}, columns: 80 });
    expect(told?.stdout.split("\n").filter((word) => word !== "")).toEqual(expected);
  });

  test.each([
    [["show", "api"], ["api-a00002"]],
    [["show", "api-a00003"], ["api-a00003"]],
    [["reopen", ""], ["api-a00003"]],
    [["update", "api-a00002", "api"], ["api-a00002"]],
    [
      ["update", "--status", "in_"],
      ["in_progress", "in_review"],
    ],
    [["dep", "add", "api-a00002", ""], ["api-a00002"]],
    [["dep", "api"], ["api-a00002"]],
    [
      ["dep", "re"],
      ["relate", "remove"],
    ],
    [["create", "x", "--parent", ""], ["api-a00002"]],
    [["create", "x", "-l", "backend,bas"], ["backend,basket"]],
    [
      ["label", "add", "api-a00002", "ba"],
      ["backend", "basket"],
    ],
    [["comment", "api-a00002", ""], []],
  ])("given %j, when asked, then the store says %j", async (words, expected) => {
    expect(await offered(await shop(), ...words)).toEqual(expected);
  });
});
