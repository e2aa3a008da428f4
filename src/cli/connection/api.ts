/** One request to the API server. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path with its query, as `/apis/town.dev/v1alpha1/rigs?limit=1`. */
  readonly path: string;
  /** Default `application/json`. */
  readonly accept?: string;
  readonly body?: string;
  /** Default `application/json` when there is a body. */
  readonly contentType?: string;
  /** Longest time until the answer is complete, in ms. Absent: as long as the daemon is alive. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface ApiAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** Texts of `Warning` headers. */
  readonly warnings: readonly string[];
}

/**
 * The API server of one town, whatever carries the requests.
 *
 * Both throw CliError (exit 6) when no daemon answers, CliError (124) after `timeoutMs`, AbortError when aborted.
 */
export interface Api {
  /** Any HTTP status is an answer, not an error. */
  send(request: ApiRequest): Promise<ApiAnswer>;
  /** The body as it arrives, until the server ends it. Throws ApiStatusError on any status but 200. */
  stream(request: ApiRequest): AsyncIterable<string>;
}
