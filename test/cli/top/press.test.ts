import { describe, expect, it } from "vitest";
import { decodeKeys } from "../../../src/cli/top/keys.ts";
import { panesOf } from "../../../src/cli/top/panes.ts";
import { press, type Pressed } from "../../../src/cli/top/press.ts";
import { FIRST_VIEW, type Page, type TopEffect, type TopView } from "../../../src/cli/top/top-view.ts";
import { NOW_MS, sampleData } from "./sample-data.ts";

/** Types a text; what it came to, and every effect on the way. */
function typed(
  text: string,
  from: TopView = FIRST_VIEW,
): { readonly view: TopView; readonly effects: readonly TopEffect[] } {
  const effects: TopEffect[] = [];
  let view = from;
  for (const key of decodeKeys(text, true).keys) {
    const panes = panesOf({ data: sampleData(), view, nowMs: NOW_MS, unicode: true });
    const pressed: Pressed = press(view, key, { panes, pageRows: 10 });
    if (pressed.effect !== undefined) effects.push(pressed.effect);
    view = pressed.view;
  }
  return { view, effects };
}

const ENTER = "\r";
const ESCAPE = "\u001b";
const page = (lines: number, more: Partial<Page> = {}): TopView => ({
  ...FIRST_VIEW,
  page: { title: "p", lines: Array.from({ length: lines }, String), top: 0, ...more },
});

describe("keys in the lists", () => {
  it("given arrows and letters, when pressed, then the choice moves and stays within the list", () => {
    expect(typed("j").view.selected.agents).toBe("Agent/api/max");
    expect(typed("jj\u001b[A").view.selected.agents).toBe("Agent/api/max");
    expect(typed("k").view.selected.agents).toBe("Agent/api/furiosa");
    expect(typed("G").view.selected.agents).toBe("Agent/api/toast");
    expect(typed("Ggj").view.selected.agents).toBe("Agent/api/max");
  });

  it("given tab, when pressed, then the lists go round both ways, and each keeps its choice", () => {
    const { view } = typed("j\t");
    expect(view.pane).toBe("convoys");
    expect(typed("\u001b[Z", view)).toMatchObject({ view: { pane: "agents", selected: { agents: "Agent/api/max" } } });
    expect(typed("\u001b[Z").view.pane).toBe("events");
    expect(typed("\t\t\t\t\t\t").view.pane).toBe("agents");
  });

  it.each([
    ["jp", { do: "Peek", agent: "api/max" }],
    ["ja", { do: "Attach", agent: "api/max" }],
    ["jnpull main" + ENTER, { do: "Nudge", agent: "api/max", text: "pull main" }],
    ["j" + ENTER, { do: "Describe", target: { kind: "Agent", namespace: "api", name: "max", agent: "api/max" } }],
    ["\t\tp", { do: "Peek", agent: "api/toast" }],
    ["\t\t\t\tp", { do: "Peek", agent: "api/nux" }],
    ["q", { do: "Quit" }],
    ["\u0003", { do: "Quit" }],
  ])("given %j, then that is asked of the world: %j", (keys, effect) =>
    expect(typed(keys).effects).toMatchObject([effect]));

  it("given a row that belongs to no agent, when peeked, then it says so and asks nothing", () => {
    expect(typed("\t\t\tp")).toMatchObject({
      view: { notice: { text: "Rig/api has no agent", isError: true } },
      effects: [],
    });
    expect(typed("\t\t\tpj").view.notice).toBeUndefined();
  });

  it("given what can be suspended, when s is pressed, then only y does it, the other way where it is suspended already", () => {
    expect(typed("\t\t\ts").view.prompt).toMatchObject({ kind: "Confirm", question: "suspend Rig/api?" });
    expect(typed("\t\t\tsn")).toMatchObject({ view: { prompt: undefined }, effects: [] });
    expect(typed("\t\t\tjsy").effects).toMatchObject([
      { do: "Suspend", of: { kind: "Rig", name: "web", suspended: true } },
    ]);
    expect(typed("sy").effects).toMatchObject([
      { do: "Suspend", of: { kind: "AgentPool", name: "crews", suspended: true } },
    ]);
    expect(typed("\t\ts").view.notice?.text).toBe("a MergeRequest cannot be suspended");
  });

  it("given a filter, when typed, then it holds as it is typed, enter keeps it and escape gives the former one back", () => {
    expect(typed("/toa").view).toMatchObject({ filter: "toa", prompt: { kind: "Filter" } });
    expect(typed("/toast\u007f" + ENTER).view).toMatchObject({ filter: "toas", prompt: undefined });
    expect(typed("/toast" + ENTER + "/max" + ESCAPE).view.filter).toBe("toast");
    expect(typed("/toast" + ENTER + ESCAPE).view.filter).toBe("");
    expect(typed("/q").view.filter).toBe("q");
  });

  it("given a nudge, when pasted into, then its lines become one, and nothing is sent before enter or without text", () => {
    const pasted = typed("n\u001b[200~one\ntwo\u001b[201~👍🏽\u007f");
    expect(pasted.view.prompt).toMatchObject({ text: "one two" });
    expect(pasted.effects).toEqual([]);
    expect(typed("n  " + ENTER)).toMatchObject({ view: { prompt: undefined }, effects: [] });
    expect(typed("nabc\u0015" + ESCAPE).effects).toEqual([]);
  });

  it("given o and ., when pressed, then the order goes round and all agents show", () => {
    expect(typed("o").view.sort).toBe("state");
    expect(typed("ooooo").view.sort).toBe("name");
    expect(typed(".").view.showAll).toBe(true);
  });
});

describe("keys on a page", () => {
  it("given a long page, when scrolled, then it stays within its lines, and q closes it without quitting", () => {
    expect(typed("jj", page(30)).view.page?.top).toBe(2);
    expect(typed("G", page(30)).view.page?.top).toBe(20);
    expect(typed("GGjjk", page(30)).view.page?.top).toBe(19);
    expect(typed("k", page(30)).view.page?.top).toBe(0);
    expect(typed("  ", page(30)).view.page?.top).toBe(20);
    expect(typed("q", page(30))).toEqual({ view: { ...FIRST_VIEW, page: undefined, notice: undefined }, effects: [] });
  });

  it("given a screen that is followed, when scrolled back to its end, then it is followed again", () => {
    const peek = page(30, { peeks: "api/toast", top: "End" });
    expect(typed("k", peek).view.page?.top).toBe(19);
    expect(typed("kj", peek).view.page?.top).toBe("End");
    expect(typed("a", peek).effects).toEqual([{ do: "Attach", agent: "api/toast" }]);
    expect(typed("nhi" + ENTER, peek).effects).toEqual([{ do: "Nudge", agent: "api/toast", text: "hi" }]);
    expect(typed("a", page(3)).effects).toEqual([]);
  });

  it("given ?, when pressed, then the keys are explained in lines of 80 columns", () => {
    const lines = typed("?").view.page?.lines ?? [];
    expect(lines.join("\n")).toContain("nudge");
    for (const text of lines) expect(text.length).toBeLessThanOrEqual(80);
  });
});
