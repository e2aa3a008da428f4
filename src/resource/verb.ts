import type { Caller } from "./caller.ts";

/** What a domain verb (`prime`, `done`, `sling`, `bd` …) answers; the CLI prints `text` and exits with `exitCode`. */
export interface VerbResult {
  /** For stdout, without a trailing newline. */
  readonly text: string;
  /** For stderr. */
  readonly errorText?: string;
  /** The same as stable data, for `-o json`. */
  readonly data?: unknown;
  /** Default 0. */
  readonly exitCode?: number;
  /**
   * Arguments of the verb `receipt`, which the caller calls once the answer was shown: until then what is handed over here
   * counts as not handed over.
   */
  readonly receipt?: Readonly<Record<string, unknown>>;
}

export interface VerbRequest {
  readonly caller: Caller;
  /** As the CLI parsed them; each verb validates its own. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

/**
 * A verb beyond CRUD, served at `POST /apis/work.town.dev/v1alpha1/verbs/<name>` with body `{"args":{…}}`, inside the
 * group so that an aggregated API server can serve it on a real cluster too. The answer's body is a VerbResult.
 */
export interface Verb {
  readonly name: string;
  readonly summary: string;
  /** Least role that may call it; agents are checked further by the verb itself. */
  readonly needs: "view" | "edit" | "admin" | "agent";
  run(request: VerbRequest): Promise<VerbResult>;
}
