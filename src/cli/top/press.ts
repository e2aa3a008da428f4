import { HELP_LINES } from "./help-page.ts";
import type { Key } from "./keys.ts";
import { graphemes } from "./line.ts";
import type { Pane } from "./panes.ts";
import { targetText } from "./panes.ts";
import { AGENT_SORTS, type Page, type Prompt, type Target, type TopEffect, type TopView } from "./top-view.ts";

export interface Pressed {
  readonly view: TopView;
  readonly effect?: TopEffect;
}

/** What was on the screen when the key was pressed. */
export interface Pressing {
  readonly panes: readonly Pane[];
  /** Rows of a page below its title. */
  readonly pageRows: number;
}

/** What a key does: pure. A notice goes away with the next key. */
export function press(view: TopView, key: Key, at: Pressing): Pressed {
  const now = { ...view, notice: undefined };
  if (key.name === "interrupt") return { view: now, effect: { do: "Quit" } };
  if (now.prompt !== undefined) return pressInPrompt(now, now.prompt, key);
  if (now.page !== undefined) return pressOnPage(now, now.page, key, at);
  return pressInLists(now, key, at.panes);
}

function pressInPrompt(view: TopView, prompt: Prompt, key: Key): Pressed {
  if (prompt.kind === "Confirm") {
    const agreed = key.name === "character" && (key.text === "y" || key.text === "Y");
    return { view: { ...view, prompt: undefined }, ...(agreed ? { effect: prompt.effect } : {}) };
  }
  switch (key.name) {
    case "escape":
      return {
        view: { ...view, prompt: undefined, ...(prompt.kind === "Filter" ? { filter: prompt.before } : {}) },
      };
    case "enter":
      return entered(view, prompt);
    case "backspace":
      return { view: typed(view, prompt, graphemes(prompt.text).slice(0, -1).join("")) };
    case "clearLine":
      return { view: typed(view, prompt, "") };
    case "character":
      return { view: typed(view, prompt, prompt.text + key.text) };
    case "paste":
      return { view: typed(view, prompt, prompt.text + key.text.replace(/\s+/g, " ")) };
    default:
      return { view };
  }
}

function entered(view: TopView, prompt: Exclude<Prompt, { readonly kind: "Confirm" }>): Pressed {
  const closed = { ...view, prompt: undefined };
  if (prompt.kind === "Filter") return { view: { ...closed, filter: prompt.text.trim() } };
  const text = prompt.text.trim();
  return text === "" ? { view: closed } : { view: closed, effect: { do: "Nudge", agent: prompt.agent, text } };
}

/** The lists follow a filter as it is typed. */
function typed(view: TopView, prompt: Exclude<Prompt, { readonly kind: "Confirm" }>, text: string): TopView {
  return { ...view, prompt: { ...prompt, text }, ...(prompt.kind === "Filter" ? { filter: text } : {}) };
}

function pressOnPage(view: TopView, page: Page, key: Key, { pageRows }: Pressing): Pressed {
  const last = Math.max(0, page.lines.length - pageRows);
  const top = page.top === "End" ? last : Math.min(page.top, last);
  const scrolled = (to: number): Pressed => {
    const next = Math.max(0, Math.min(to, last));
    // A screen that is followed goes on being followed from its end.
    return { view: { ...view, page: { ...page, top: page.peeks !== undefined && next === last ? "End" : next } } };
  };
  const name = key.name === "character" ? (PAGE_CHARACTERS[key.text] ?? key.text) : key.name;
  switch (name) {
    case "escape":
    case "q":
    case "left":
      return { view: { ...view, page: undefined } };
    case "up":
      return scrolled(top - 1);
    case "down":
    case "enter":
      return scrolled(top + 1);
    case "pageUp":
      return scrolled(top - pageRows);
    case "pageDown":
      return scrolled(top + pageRows);
    case "home":
      return scrolled(0);
    case "end":
      return scrolled(last);
    case "a":
      return page.peeks === undefined ? { view } : { view, effect: { do: "Attach", agent: page.peeks } };
    case "n":
      return page.peeks === undefined ? { view } : { view: asking(view, page.peeks) };
    default:
      return { view };
  }
}

const PAGE_CHARACTERS: Readonly<Record<string, string>> = {
  k: "up",
  j: "down",
  " ": "pageDown",
  b: "pageUp",
  g: "home",
  G: "end",
};

function asking(view: TopView, agent: string): TopView {
  return { ...view, prompt: { kind: "Nudge", text: "", agent } };
}

const LIST_CHARACTERS: Readonly<Record<string, string>> = { ...PAGE_CHARACTERS, h: "backTab", l: "tab" };

const PAGE_STEP = 10;

function pressInLists(view: TopView, key: Key, panes: readonly Pane[]): Pressed {
  const name = key.name === "character" ? (LIST_CHARACTERS[key.text] ?? key.text) : key.name;
  const pane = panes.find((each) => each.name === view.pane) ?? panes[0];
  const target = pane?.rows[chosenRow(view, pane)]?.target;
  switch (name) {
    case "up":
      return { view: moved(view, pane, -1) };
    case "down":
      return { view: moved(view, pane, 1) };
    case "pageUp":
      return { view: moved(view, pane, -PAGE_STEP) };
    case "pageDown":
      return { view: moved(view, pane, PAGE_STEP) };
    case "home":
      return { view: moved(view, pane, Number.NEGATIVE_INFINITY) };
    case "end":
      return { view: moved(view, pane, Number.POSITIVE_INFINITY) };
    case "tab":
    case "right":
      return { view: turned(view, panes, 1) };
    case "backTab":
    case "left":
      return { view: turned(view, panes, -1) };
    case "escape":
      return { view: { ...view, filter: "" } };
    default:
      return pressAction(view, name, target);
  }
}

function pressAction(view: TopView, name: string, target: Target | undefined): Pressed {
  switch (name) {
    case "q":
      return { view, effect: { do: "Quit" } };
    case "?":
      return { view: { ...view, page: { title: "town top: keys", lines: HELP_LINES, top: 0 } } };
    case "/":
      return { view: { ...view, prompt: { kind: "Filter", text: view.filter, before: view.filter } } };
    case "o":
      return {
        view: { ...view, sort: AGENT_SORTS[(AGENT_SORTS.indexOf(view.sort) + 1) % AGENT_SORTS.length] ?? "name" },
      };
    case ".":
      return { view: { ...view, showAll: !view.showAll } };
    case "enter":
      return target === undefined ? { view } : { view, effect: { do: "Describe", target } };
    case "s":
      return { view: suspending(view, target) };
    case "p":
    case "a":
    case "n":
      return pressForAgent(view, name, target);
    default:
      return { view };
  }
}

function pressForAgent(view: TopView, name: "p" | "a" | "n", target: Target | undefined): Pressed {
  const agent = target?.agent;
  if (agent === undefined)
    return { view: told(view, target === undefined ? "nothing is chosen" : `${targetText(target)} has no agent`) };
  if (name === "n") return { view: asking(view, agent) };
  return { view, effect: name === "p" ? { do: "Peek", agent } : { do: "Attach", agent } };
}

function suspending(view: TopView, target: Target | undefined): TopView {
  const of = target?.switch;
  if (of === undefined)
    return told(view, target === undefined ? "nothing is chosen" : `a ${target.kind} cannot be suspended`);
  const question = `${of.suspended ? "resume" : "suspend"} ${targetText(of)}?`;
  return { ...view, prompt: { kind: "Confirm", question, effect: { do: "Suspend", of } } };
}

function told(view: TopView, text: string): TopView {
  return { ...view, notice: { text, isError: true } };
}

function chosenRow(view: TopView, pane: Pane): number {
  return Math.max(
    0,
    pane.rows.findIndex((row) => row.key === view.selected[pane.name]),
  );
}

function moved(view: TopView, pane: Pane | undefined, by: number): TopView {
  if (pane === undefined || pane.rows.length === 0) return view;
  const to = Math.max(0, Math.min(chosenRow(view, pane) + by, pane.rows.length - 1));
  const key = pane.rows[to]?.key;
  return key === undefined ? view : { ...view, selected: { ...view.selected, [pane.name]: key } };
}

function turned(view: TopView, panes: readonly Pane[], by: number): TopView {
  const at = panes.findIndex((each) => each.name === view.pane);
  const next = panes[(Math.max(0, at) + by + panes.length) % panes.length];
  return next === undefined ? view : { ...view, pane: next.name };
}
