import { randomBytes } from "node:crypto";
import type { Caller } from "../resource/caller.ts";
import type { Api } from "../server/api.ts";

export interface InternalAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Calls of the API from within, as somebody: verbs that are made of plain requests go through the same admission as all others. */
export class InternalCalls {
  readonly #callers = new Map<string, Caller>();
  #api: Pick<Api, "app"> | undefined;

  connect(api: Pick<Api, "app">): void {
    this.#api = api;
  }

  /** The caller behind an internal token. */
  caller(token: string): Caller | undefined {
    return this.#callers.get(token);
  }

  async send(caller: Caller, method: string, path: string, body?: unknown): Promise<InternalAnswer> {
    if (this.#api === undefined) throw new Error("the API is not there yet");
    const token = randomBytes(24).toString("hex");
    this.#callers.set(token, caller);
    try {
      const response = await this.#api.app.request(`http://localhost${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          accept: "application/json",
          "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
    } finally {
      this.#callers.delete(token);
    }
  }
}
