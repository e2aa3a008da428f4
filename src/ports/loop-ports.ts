import type { ProcessLoad } from "./process-load.ts";
import type { Formula } from "../domain/formulas/formula.ts";
import type { ObservedSession } from "./sessions.ts";
import type { Ports } from "./ports.ts";
import type { Repository } from "./git.ts";
import type { WorkGraph } from "./work-graph.ts";

/** Where a town keeps things on this machine. All paths absolute. */
export interface TownLayout {
  /** Worktree of the town repository (or the bare repository). */
  readonly root: string;
  /** `<git common dir>/town`. */
  readonly state: string;
  /** Town's own clone of a rig. */
  clone(rig: string): string;
  /** Worktree of an agent. */
  sandbox(namespace: string, rolePlural: string, agent: string): string;
  /** Worktree in which a rig's gates run. */
  refinery(rig: string): string;
  /** Directory of the worktrees in which plugins run about a rig. */
  plugins(rig: string): string;
  /** Directory of the sandboxes that a rig keeps in reserve. */
  reserve(rig: string): string;
  /** Log of one gate run. */
  gateLog(rig: string, mergeRequest: string, gate: string): string;
  /** 0600 file with the token of a session. */
  sessionToken(namespace: string, agent: string): string;
  /** Unix socket of the API. */
  readonly socket: string;
}

/** Formulas by name, nearest tier first. */
export interface Formulas {
  get(name: string): Formula | undefined;
  names(): readonly string[];
}

/** Tokens of agent sessions: one per generation, void when the next one is issued or the agent is revoked. */
export interface SessionTokens {
  /** Writes the token file (0600) and makes older tokens of that agent void. */
  issue(session: {
    readonly namespace: string;
    readonly agent: string;
    readonly identity: string;
    readonly generation: number;
    readonly permissions: readonly string[];
  }): Promise<void>;
  revoke(namespace: string, agent: string): Promise<void>;
  /** When a request last came with the agent's token, at the earliest this controller's start; monotonic ms. */
  heardMs(namespace: string, agent: string): number;
  /** Who holds a token that is not void. */
  held(): Promise<readonly { readonly namespace: string; readonly agent: string; readonly generation: number }[]>;
}

export type SessionSight =
  | { readonly state: "Running" | "Exited" | "Unknown"; readonly session: ObservedSession }
  /** Complete observations agree that there is none. */
  | { readonly state: "Absent" };

/** The sessions as last observed, with what may be concluded from it. */
export interface SessionsView {
  /** False until the first complete observation after the controller's start. */
  readonly ready: boolean;
  /** True while many sessions vanished by absence at once: nothing may be started or stopped. */
  readonly frozen: boolean;
  sight(runtimeName: string): SessionSight;
  running(): number;
  /** Tells the view what a start or stop did, so that it need not wait for the next observation. */
  note(runtimeName: string, session: ObservedSession | undefined): Promise<void>;
}

/**
 * What binding or unbinding a checkout came to. `IsStore`: the repository holds an open store of this town itself, so
 * there is nothing to follow.
 */
export type CheckoutBinding = "Bound" | "AlreadyBound" | "Unbound" | "NotBound" | "IsStore";

/** Opens and closes the stores that WorkGraphs serves. */
export interface GraphHost {
  open(
    namespace: string,
    repository: Repository,
    options: { readonly prefix: string; readonly branch: string },
  ): Promise<WorkGraph>;
  close(namespace: string): Promise<void>;
  /**
   * Makes the repository of a path rig follow the rig's open store (`town.store` in its git config), after which `town bd`
   * there and in its worktrees works on that store; beads it had of its own are taken in. Repeatable, and cheap when done.
   * Throws TownError `BoundElsewhere` when it follows the store of another town or rig, `StoreNotOpen`, WaitingError
   * `StoreLocked`.
   */
  bindCheckout(namespace: string, checkout: Repository): Promise<CheckoutBinding>;
  /**
   * Lets it go again, as it was before; beads of its own are given back as they are now. `store`: path of the rig's clone,
   * for when its store is not open. Call it before the store is closed.
   */
  unbindCheckout(namespace: string, checkout: Repository, store: string): Promise<CheckoutBinding>;
  /**
   * Exchanges the work branch with a remote (name or URL), by field. Returns the beads whose claim somebody else pushed
   * first.
   */
  exchange(namespace: string, remote: string): Promise<readonly string[]>;
}

/** What loops reach beyond the plain ports. */
export interface LoopPorts extends Ports {
  readonly layout: TownLayout;
  readonly formulas: Formulas;
  readonly tokens: SessionTokens;
  readonly view: SessionsView;
  readonly load: ProcessLoad;
  readonly graphHost: GraphHost;
  /** Looks at every object once whose owners are gone; resolves when what follows from it is done. */
  readonly collectOwned: () => Promise<void>;
  /** Program and arguments of the shipped shell agent, put for `{shellAgent}` in a provider's command. */
  readonly shellAgent: readonly string[];
  /** Program that runs an agent program's turns one after the other where sessions have no terminal. */
  readonly turnRunner: readonly string[];
  /** PATH of agent sessions: the `town` and `bd` programs first, then the user's. */
  readonly sessionPath: string;
  /** Folder of the git hooks of agent sessions: they add trailers and run the repository's own. */
  readonly gitHooks: string;
}
