import { createServer, type Server } from "node:http";

export interface FakeBead {
  readonly id: string;
  readonly title: string;
  readonly description: string;
}

/** A town that knows one bead and its steps, on a unix socket. */
export class FakeTown {
  readonly calls: { readonly verb: string; readonly args: Readonly<Record<string, unknown>> }[] = [];
  readonly token = "right-token";
  readonly #socketPath: string;
  #server: Server | undefined;
  bead: FakeBead | undefined;
  steps: string[] = [];
  attempt = 1;
  feedback: string | undefined;
  base = "";
  exit = true;
  /** Answer this instead, once. */
  refuse: { readonly verb: string; readonly code: number; readonly reason: string } | undefined;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  get socketPath(): string {
    return this.#socketPath;
  }

  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        const { code, answer } = this.#answer(request.url ?? "", request.headers.authorization ?? "", body);
        response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(answer));
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#socketPath, resolve));
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  }

  /** Calls other than prime, as `close api-1.implement`. */
  get reports(): readonly string[] {
    return this.calls
      .filter((call) => call.verb !== "prime")
      .map((call) => `${call.verb} ${String(call.args["id"] ?? call.args["outcome"])}`);
  }

  #answer(url: string, authorization: string, body: string): { readonly code: number; readonly answer: unknown } {
    if (authorization !== `Bearer ${this.token}`) return status(401, "Unauthorized", "the token is void");
    const verb = /^\/apis\/work\.town\.dev\/v1alpha1\/verbs\/(\w+)$/.exec(url)?.[1] ?? "";
    const { args } = JSON.parse(body) as { readonly args: Readonly<Record<string, unknown>> };
    this.calls.push({ verb, args });
    if (this.refuse?.verb === verb) {
      const { code, reason } = this.refuse;
      this.refuse = undefined;
      return status(code, reason, `refused with ${reason}`);
    }
    if (verb === "close") this.steps.shift();
    if (verb === "done") this.bead = undefined;
    return { code: 200, answer: { text: "", data: verb === "prime" ? this.#prime() : {} } };
  }

  #prime(): unknown {
    if (this.bead === undefined) return { seq: 0, hook: null, ...(this.exit ? { exit: true } : {}) };
    const [step] = this.steps;
    return {
      seq: 1,
      hook: {
        bead: this.bead,
        attempt: this.attempt,
        branch: "town/agents/api/toast/x",
        base: this.base,
        ...(this.feedback === undefined ? {} : { feedback: this.feedback }),
        ...(step === undefined
          ? {}
          : { molecule: "api-m", step: { id: `${this.bead.id}.${step}`, name: step, title: step, description: "" } }),
      },
    };
  }
}

function status(code: number, reason: string, message: string): { readonly code: number; readonly answer: unknown } {
  return { code, answer: { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message } };
}
