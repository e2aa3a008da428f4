import { connect, createServer, type Server, type Socket } from "node:net";

/** Where an exchange is held for ever: the town's answer to a verb, or the request before it reaches the town. */
export interface Hold {
  readonly verb: string;
  readonly what: "Answer" | "Request";
}

/** A socket in front of a town's own: it hands on what comes, and holds what it is told to. */
export class HeldSocket {
  readonly path: string;
  readonly #server: Server;
  readonly #clients: Socket[] = [];
  #hold: { readonly hold: Hold; readonly reached: () => void } | undefined;

  private constructor(path: string, server: Server) {
    this.path = path;
    this.#server = server;
  }

  static async listen(path: string, target: string): Promise<HeldSocket> {
    const server = createServer((client) => {
      const upstream = connect(target);
      client.on("error", () => upstream.destroy());
      upstream.on("error", () => client.destroy());
      client.on("close", () => upstream.destroy());
      let heldAnswer: (() => void) | undefined;
      client.on("data", (data) => {
        const wanted = held.#hold;
        const isIt = wanted !== undefined && data.includes(`/verbs/${encodeURIComponent(wanted.hold.verb)} `);
        if (isIt) held.#clients.push(client);
        if (isIt && wanted.hold.what === "Request") return wanted.reached();
        if (isIt) heldAnswer = wanted.reached;
        upstream.write(data);
      });
      upstream.on("data", (data) => (heldAnswer === undefined ? client.write(data) : heldAnswer()));
      upstream.on("end", () => heldAnswer === undefined && client.end());
    });
    const held = new HeldSocket(path, server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return held;
  }

  /** Holds from now on; resolves when something is held. */
  hold(hold: Hold): Promise<void> {
    return new Promise((reached) => {
      this.#hold = { hold, reached };
    });
  }

  /** Holds no more; what is held is cut off without an answer. */
  letGo(): void {
    this.#hold = undefined;
    for (const client of this.#clients.splice(0)) client.destroy();
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
