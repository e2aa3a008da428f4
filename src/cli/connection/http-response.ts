/** Receives a response as it arrives. */
interface ResponseSink {
  head(status: number, headers: Readonly<Record<string, string>>): void;
  data(chunk: Buffer): void;
  end(): void;
}

type State = "Head" | "Length" | "ChunkSize" | "Chunk" | "ChunkEnd" | "Trailer" | "UntilClose" | "Done";

/**
 * Incremental parser of one HTTP/1.1 response (RFC 9112): loading `node:http` would cost a command more than its work
 * does (7 of 24 ms). Throws on anything that is no HTTP response.
 */
export class ResponseParser {
  readonly #sink: ResponseSink;
  #state: State = "Head";
  #pending: Buffer = Buffer.alloc(0);
  #remaining = 0;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  get done(): boolean {
    return this.#state === "Done";
  }

  feed(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#state !== "Done" && this.#step()) {}
  }

  /** The connection ended; throws when the response is incomplete. */
  close(): void {
    if (this.#state === "UntilClose") this.#finish();
    if (this.#state !== "Done") throw new Error("the connection ended in the middle of the answer");
  }

  /** One step; false when more bytes are needed. */
  #step(): boolean {
    switch (this.#state) {
      case "Head":
        return this.#readHead();
      case "Length":
      case "Chunk":
        return this.#readBody();
      case "ChunkSize":
        return this.#readChunkSize();
      case "ChunkEnd":
        return this.#line() !== undefined && this.#become("ChunkSize");
      case "Trailer": {
        const line = this.#line();
        if (line === "") this.#finish();
        return line !== undefined;
      }
      case "UntilClose":
        return this.#takeAll();
      case "Done":
        return false;
      default:
        return this.#state satisfies never;
    }
  }

  #readHead(): boolean {
    const end = this.#pending.indexOf("\r\n\r\n");
    if (end === -1) return false;
    const [statusLine = "", ...lines] = this.#pending.toString("latin1", 0, end).split("\r\n");
    this.#pending = this.#pending.subarray(end + 4);
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1]);
    if (Number.isNaN(status)) throw new Error("the socket does not speak HTTP");
    if (status < 200) return true;
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
    }
    this.#sink.head(status, headers);
    this.#remaining = Number(headers["content-length"] ?? -1);
    if (headers["transfer-encoding"]?.toLowerCase().includes("chunked") === true) this.#state = "ChunkSize";
    else if (status === 204 || status === 304 || this.#remaining === 0) this.#finish();
    else this.#state = this.#remaining > 0 ? "Length" : "UntilClose";
    return true;
  }

  #readBody(): boolean {
    if (this.#pending.length === 0) return false;
    const part = this.#pending.subarray(0, this.#remaining);
    this.#pending = this.#pending.subarray(part.length);
    this.#remaining -= part.length;
    this.#sink.data(part);
    if (this.#remaining > 0) return false;
    if (this.#state === "Chunk") this.#state = "ChunkEnd";
    else this.#finish();
    return true;
  }

  #readChunkSize(): boolean {
    const line = this.#line();
    if (line === undefined) return false;
    this.#remaining = Number.parseInt(line, 16);
    if (Number.isNaN(this.#remaining)) throw new Error("the answer is damaged: no chunk size");
    this.#state = this.#remaining === 0 ? "Trailer" : "Chunk";
    return true;
  }

  #takeAll(): boolean {
    if (this.#pending.length > 0) this.#sink.data(this.#pending);
    this.#pending = Buffer.alloc(0);
    return false;
  }

  #line(): string | undefined {
    const end = this.#pending.indexOf("\r\n");
    if (end === -1) return undefined;
    const line = this.#pending.toString("latin1", 0, end);
    this.#pending = this.#pending.subarray(end + 2);
    return line;
  }

  #become(state: State): true {
    this.#state = state;
    return true;
  }

  #finish(): void {
    this.#state = "Done";
    this.#sink.end();
  }
}
