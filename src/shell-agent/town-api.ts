import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { messageOf, TownError } from "../errors/town-error.ts";

/** The API said no: `code` is the HTTP status, `reason` that of the Kubernetes Status. */
export class RefusedError extends TownError {
  readonly code: number;

  constructor(code: number, reason: string, message: string) {
    super(reason, message);
    this.code = code;
  }

  /** The token is void, or another session has taken over: nothing this program says will be heard again. */
  get final(): boolean {
    return this.code === 401 || this.code === 403 || (this.code === 409 && this.reason === "Fenced");
  }

  /** The town itself has trouble: the same call may be answered later. */
  get passing(): boolean {
    return this.code === 429 || this.code >= 500;
  }
}

export interface TownApiOptions {
  readonly socketPath: string;
  readonly tokenFile: string;
  readonly sleep: (ms: number) => Promise<void>;
  /** Told once when the town cannot be reached, with why, and once without when it can again. */
  readonly away: (why: string | undefined) => void;
}

/** What a verb answers. */
export interface Answer {
  readonly text: string;
  readonly data: unknown;
  readonly receipt: Readonly<Record<string, unknown>> | undefined;
}

const CALL_TIMEOUT_MS = 30_000;
const LONGEST_WAIT_MS = 10_000;

/** The town's verbs over its unix socket. */
export class TownApi {
  readonly #options: TownApiOptions;
  #away = false;

  constructor(options: TownApiOptions) {
    this.#options = options;
  }

  /** Calls a verb and returns its data; tries again as `answer` does. */
  async verb(name: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    return (await this.answer(name, args)).data;
  }

  /**
   * Calls a verb and returns its text and data, and the receipt that it wants (see `receipt`). While the town is unreachable or in trouble it tries again for ever (0.2 s to 10 s
   * apart). Throws RefusedError when the answer is no.
   */
  async answer(name: string, args: Readonly<Record<string, unknown>>): Promise<Answer> {
    for (let waitMs = 200; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      try {
        const answer = await this.#call(name, args);
        this.#reached(undefined);
        const receipt = answer["receipt"] as Answer["receipt"];
        return { text: typeof answer["text"] === "string" ? answer["text"] : "", data: answer["data"], receipt };
      } catch (error) {
        if (error instanceof RefusedError && !error.passing) {
          this.#reached(undefined);
          throw error;
        }
        this.#reached(messageOf(error));
        await this.#options.sleep(waitMs);
      }
    }
  }

  /** Says that an answer was shown, or that it got lost after all; until it is said, what it handed over comes again. */
  async receipt(receipt: Answer["receipt"], how: "Shown" | "Lost" = "Shown"): Promise<void> {
    if (receipt !== undefined) await this.answer("receipt", how === "Lost" ? { ...receipt, lost: true } : receipt);
  }

  #reached(trouble: string | undefined): void {
    if (this.#away === (trouble !== undefined)) return;
    this.#away = trouble !== undefined;
    this.#options.away(trouble);
  }

  async #call(name: string, args: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    // Read each time: the daemon may have given this session a new token.
    const token = (await readFile(this.#options.tokenFile, "utf8")).trim();
    const { status, body } = await post(
      this.#options.socketPath,
      `/apis/work.town.dev/v1alpha1/verbs/${name}`,
      token,
      JSON.stringify({ args }),
    );
    const answer = parsed(body);
    if (status >= 200 && status < 300) return answer;
    const message = typeof answer["message"] === "string" ? answer["message"] : `HTTP ${status}`;
    throw new RefusedError(
      status,
      typeof answer["reason"] === "string" ? answer["reason"] : "Unknown",
      `town ${name}: ${message}`,
    );
  }
}

function post(
  socketPath: string,
  path: string,
  token: string,
  body: string,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      Host: "localhost",
      Connection: "close",
      Authorization: `Bearer ${token}`,
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(body),
      "User-Agent": "shell-agent",
    };
    const call = request({ socketPath, path, method: "POST", headers, timeout: CALL_TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    call.on("timeout", () => call.destroy(new Error(`no answer within ${CALL_TIMEOUT_MS} ms`)));
    call.on("error", reject);
    call.end(body);
  });
}

function parsed(body: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(body === "" ? "{}" : body);
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
