import { availableParallelism, loadavg } from "node:os";
import type { CommandContext } from "../context.ts";
import { errorText } from "../error-text.ts";
import { EXIT } from "../exit-codes.ts";
import { coloursWanted } from "../output/colour.ts";
import { runEffect } from "./effects.ts";
import { followTown } from "./follow-town.ts";
import { type FrameInput, frameOf, PAGE_MARGIN_ROWS } from "./frame.ts";
import { type Key } from "./keys.ts";
import { LiveObjects } from "./live-objects.ts";
import { type Pane, panesOf } from "./panes.ts";
import { pause } from "./pause.ts";
import { followScreen } from "./peek.ts";
import { press } from "./press.ts";
import type { TerminalEvents, TopTerminal } from "./terminal.ts";
import { topData, type TopData } from "./top-data.ts";
import { FIRST_VIEW, type Notice, type TopEffect, type TopView } from "./top-view.ts";
import { showsUnicode } from "./unicode.ts";

/** Changes come in bursts; nobody reads faster. */
const GAP_MS = 250;
/** Ages go on although nothing changes. */
const TICK_MS = 1_000;
const NOTICE_MS = 6_000;

/** The view on a terminal until the person quits (0) or interrupts (130). */
export async function runLive(
  context: CommandContext,
  townName: string | undefined,
  open: (events: TerminalEvents, colours: boolean) => TopTerminal,
): Promise<number> {
  // What fails at once, such as a town without daemon, is said on the ordinary screen.
  context.api();
  const live = new LiveView(context, townName);
  return await live.run(open);
}

class LiveView {
  readonly #context: CommandContext;
  readonly #townName: string | undefined;
  readonly #objects = new LiveObjects();
  readonly #ending = new AbortController();
  readonly #unicode: boolean;
  #terminal: TopTerminal | undefined;
  #view: TopView = FIRST_VIEW;
  #data: TopData | undefined;
  #lostAtMs: number | undefined;
  #drawnAtMs = 0;
  #drawing: NodeJS.Timeout | undefined;
  #noticing: NodeJS.Timeout | undefined;
  #peeking: AbortController | undefined;
  #code: number = EXIT.done;

  constructor(context: CommandContext, townName: string | undefined) {
    this.#context = context;
    this.#townName = townName;
    this.#unicode = showsUnicode(context.env);
  }

  async run(open: (events: TerminalEvents, colours: boolean) => TopTerminal): Promise<number> {
    const context = this.#context;
    const interrupted = (): void => this.#end(EXIT.interrupted);
    context.signal.addEventListener("abort", interrupted, { once: true });
    const terminal = open(
      {
        keys: (keys) => keys.forEach((key) => this.#press(key)),
        changed: () => this.#draw(),
        gone: () => this.#end(EXIT.failed),
      },
      coloursWanted(true, context.env),
    );
    this.#terminal = terminal;
    const ticking = setInterval(() => this.#draw(), TICK_MS);
    try {
      this.#draw();
      await followTown({
        api: () => context.api(),
        objects: this.#objects,
        signal: this.#ending.signal,
        sleep: (ms) => pause(ms, this.#ending.signal),
        changed: () => this.#changed(),
        found: () => {
          this.#lostAtMs = undefined;
          this.#changed();
        },
        lost: () => {
          this.#lostAtMs ??= context.now();
          this.#draw();
        },
      });
    } finally {
      clearInterval(ticking);
      clearTimeout(this.#drawing);
      clearTimeout(this.#noticing);
      this.#peeking?.abort();
      context.signal.removeEventListener("abort", interrupted);
      terminal.close();
    }
    return this.#code;
  }

  #end(code: number): void {
    this.#code = code;
    this.#ending.abort();
  }

  #changed(): void {
    this.#data = undefined;
    const waitMs = GAP_MS - (performance.now() - this.#drawnAtMs);
    if (waitMs <= 0) this.#draw();
    else this.#drawing ??= setTimeout(() => this.#draw(), waitMs);
  }

  #draw(): void {
    if (this.#ending.signal.aborted) return;
    clearTimeout(this.#drawing);
    this.#drawing = undefined;
    this.#drawnAtMs = performance.now();
    this.#terminal?.draw(frameOf(this.#frame()));
  }

  #frame(): FrameInput {
    const terminal = this.#terminal;
    const data = (this.#data ??= topData(this.#objects, this.#townName));
    return {
      data,
      panes: this.#panes(data),
      view: this.#view,
      columns: terminal?.columns ?? 80,
      rows: terminal?.rows ?? 24,
      load: { averages: loadavg(), processors: availableParallelism() },
      lostForMs: this.#lostAtMs === undefined ? undefined : this.#context.now() - this.#lostAtMs,
    };
  }

  #panes(data: TopData): readonly Pane[] {
    return panesOf({ data, view: this.#view, nowMs: this.#context.now(), unicode: this.#unicode });
  }

  #press(key: Key): void {
    if (key.name === "stop") return this.#terminal?.suspend();
    if (key.name === "redraw") return this.#terminal?.forget();
    const data = (this.#data ??= topData(this.#objects, this.#townName));
    const pageRows = Math.max(1, (this.#terminal?.rows ?? 24) - PAGE_MARGIN_ROWS);
    const { view, effect } = press(this.#view, key, { panes: this.#panes(data), pageRows });
    this.#show(view);
    if (effect !== undefined) void this.#run(effect, key);
  }

  /** A screen is followed only while it is on the page. */
  #show(view: TopView): void {
    this.#view = view;
    if (this.#peeking !== undefined && view.page?.peeks === undefined) {
      this.#peeking.abort();
      this.#peeking = undefined;
    }
    this.#draw();
  }

  async #run(effect: TopEffect, key: Key): Promise<void> {
    if (effect.do === "Quit") return this.#end(key.name === "interrupt" ? EXIT.interrupted : EXIT.done);
    if (effect.do === "Peek") return this.#peek(effect.agent);
    const terminal = this.#terminal;
    if (terminal === undefined) return;
    try {
      const came = await runEffect(effect, this.#context, terminal);
      if (came.page !== undefined) this.#show({ ...this.#view, page: came.page });
      if (came.said !== undefined) this.#notice({ text: came.said, isError: false });
      if (came.leaves === true) this.#end(EXIT.done);
    } catch (error) {
      this.#notice({
        text: errorText(error)
          .trim()
          .replace(/\s*\n\s*/g, "; "),
        isError: true,
      });
    }
  }

  #peek(agent: string): void {
    this.#peeking?.abort();
    const peeking = new AbortController();
    this.#peeking = peeking;
    this.#show({ ...this.#view, page: { title: `peek ${agent}`, lines: ["…"], top: "End", peeks: agent } });
    void followScreen(agent, this.#context, AbortSignal.any([peeking.signal, this.#ending.signal]), (screen) => {
      const { page } = this.#view;
      if (page?.peeks === agent) this.#show({ ...this.#view, page: { ...page, ...screen } });
    });
  }

  #notice(notice: Notice): void {
    this.#show({ ...this.#view, notice });
    clearTimeout(this.#noticing);
    this.#noticing = setTimeout(() => {
      if (this.#view.notice === notice) this.#show({ ...this.#view, notice: undefined });
    }, NOTICE_MS);
  }
}
