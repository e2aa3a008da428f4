/** The lists on the screen, in their order. */
export const PANES = ["agents", "convoys", "merges", "rigs", "problems", "events"] as const;
export type PaneName = (typeof PANES)[number];

export const AGENT_SORTS = ["name", "state", "progress", "tokens", "cost"] as const;
export type AgentSort = (typeof AGENT_SORTS)[number];

/** What a row is about. */
export interface Target {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  /** `<namespace>/<name>` of the agent that belongs to it, for peek, attach and nudge. */
  readonly agent?: string;
  /** What `s` suspends or resumes. */
  readonly switch?: {
    readonly kind: string;
    readonly namespace?: string;
    readonly name: string;
    readonly suspended: boolean;
  };
}

/** A text over the lists: what `?`, describe and peek show. */
export interface Page {
  readonly title: string;
  readonly lines: readonly string[];
  /** First line shown; `"End"`: the last lines, also as more come. */
  readonly top: number | "End";
  /** Agent whose screen it follows. */
  readonly peeks?: string;
}

export type Prompt =
  | { readonly kind: "Filter"; readonly text: string; readonly before: string }
  | { readonly kind: "Nudge"; readonly text: string; readonly agent: string }
  | { readonly kind: "Confirm"; readonly question: string; readonly effect: TopEffect };

export interface Notice {
  readonly text: string;
  readonly isError: boolean;
}

/** What the person sees and has chosen; everything on the screen follows from this, the data and the time. */
export interface TopView {
  readonly pane: PaneName;
  /** Key of the chosen row in each list; one that is gone gives way to the first. */
  readonly selected: Readonly<Partial<Record<PaneName, string>>>;
  readonly sort: AgentSort;
  /** Agents without session and work, too. */
  readonly showAll: boolean;
  readonly filter: string;
  readonly page?: Page | undefined;
  readonly prompt?: Prompt | undefined;
  readonly notice?: Notice | undefined;
}

export const FIRST_VIEW: TopView = { pane: "agents", selected: {}, sort: "name", showAll: false, filter: "" };

/** What a key asks of the world. */
export type TopEffect =
  | { readonly do: "Quit" }
  | { readonly do: "Suspend"; readonly of: NonNullable<Target["switch"]> }
  | { readonly do: "Describe"; readonly target: Target }
  | { readonly do: "Peek"; readonly agent: string }
  | { readonly do: "Attach"; readonly agent: string }
  | { readonly do: "Nudge"; readonly agent: string; readonly text: string };
