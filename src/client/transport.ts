/** One HTTP request, already encoded. */
export interface TransportRequest {
  readonly method: string;
  /** With query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** Until the head of the answer is there; undefined: as long as it takes. */
  readonly headTimeoutMs?: number;
}

export interface TransportResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Ends early with an error when the connection breaks. Not reading it to its end is fine after `discard`. */
  readonly body: AsyncIterable<Uint8Array>;
  discard(): void;
}

/** How requests reach the API server: a socket, or the server's own routes within this process. */
export interface Transport {
  send(request: TransportRequest): Promise<TransportResponse>;
  close(): void;
}
