import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One entry of a conversation, whatever API it came by. */
export interface Entry {
  readonly from: "User" | "Model" | "Tool";
  readonly text: string;
}

/** One request for an answer with tools. */
export interface Turn {
  readonly api: Api["name"];
  readonly model: string;
  readonly entries: readonly Entry[];
}

type Step =
  /** `isFull`: the answer says that the context is all but used up. */
  | { readonly run: string; readonly isFull?: boolean }
  | { readonly say: string }
  | { readonly hangMs: number }
  | { readonly fail: number };

interface Api {
  readonly name: "messages" | "responses" | "gemini" | "completions";
  readonly path: RegExp;
  /** Conversation of a request body, and whether tools were offered. */
  read(body: Body): { readonly entries: readonly Entry[]; readonly hasTools: boolean };
  /** Server-sent events of an answer: one shell call, or text. */
  write(
    answer: { readonly run?: string; readonly say?: string; readonly isFull?: boolean },
    id: string,
  ): readonly (readonly [string | undefined, unknown])[];
}

type Body = Readonly<Record<string, unknown>>;

/**
 * A model that follows a script, on 127.0.0.1, for programs that speak one of four APIs. The newest text of a
 * conversation (a prompt, a hook's context, a tool's result) that holds lines `RUN: command`, `SAY: text`, `HANG: ms`,
 * `FAIL: status` or `FULL: command` (as RUN, and the context counts as full, once) is the script; the number of tool
 * results after it says how far it has come.
 */
export class ModelServer {
  readonly turns: Turn[] = [];
  readonly #server: Server;
  /** A script hangs once: whoever takes its conversation up again goes on behind that line. */
  readonly #hung = new Set<string>();
  readonly #filled = new Set<string>();
  #answers = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request, response).catch(() => response.destroy());
    });
  }

  static async listen(): Promise<ModelServer> {
    const server = new ModelServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const api = APIS.find(({ path }) => path.test(request.url ?? ""));
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (api === undefined || request.method !== "POST") return plainAnswer(request.url ?? "", response);
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Body;
    const { entries, hasTools } = api.read(body);
    const { model } = body;
    if (hasTools) this.turns.push({ api: api.name, model: typeof model === "string" ? model : "", entries });
    const step = hasTools ? this.#stepOf(entries) : { say: "ok" };
    if ("fail" in step) {
      response.writeHead(step.fail, { "content-type": "application/json" });
      response.end(JSON.stringify({ type: "error", error: { type: "error", message: `scripted ${step.fail}` } }));
      return;
    }
    if ("hangMs" in step) {
      const { hangMs } = step;
      await new Promise((resolve) => setTimeout(resolve, hangMs).unref());
    }
    this.#answers += 1;
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const [event, data] of api.write("hangMs" in step ? { say: "hung" } : step, `call${this.#answers}`)) {
      response.write(
        `${event === undefined ? "" : `event: ${event}\n`}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`,
      );
    }
    response.end();
  }

  #stepOf(entries: readonly Entry[]): Step {
    const at = entries.findLastIndex((entry) => entry.from !== "Model" && stepsIn(entry.text).length > 0);
    // Whoever is told to look, and was not told what is to be done with the same prompt, looks.
    const prompt = entries.findLastIndex(({ from }) => from === "User");
    const isTogether = at >= 0 && !entries.slice(at, prompt).some(({ from }) => from !== "User");
    const toldToLook =
      prompt > at && !isTogether && /[Rr]un `town prime` and do what it says/.test(entries[prompt]?.text ?? "");
    if (toldToLook && !entries.slice(prompt).some(({ from }) => from === "Tool")) return { run: "town prime" };
    const done = entries.slice(at + 1).filter((entry) => entry.from === "Tool").length;
    const steps = stepsIn(entries[at]?.text ?? "");
    const key = JSON.stringify(steps);
    const step = steps.filter((each) => !("hangMs" in each && this.#hung.has(key)))[done];
    if (step !== undefined && "hangMs" in step) this.#hung.add(key);
    if (step !== undefined && "isFull" in step) {
      if (this.#filled.has(key)) return { run: step.run };
      this.#filled.add(key);
    }
    return step ?? { say: "nothing left to do" };
  }
}

/** What programs ask beside answers: whether the server is there, its models, the length of a text. */
function plainAnswer(url: string, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  const models = { object: "list", data: [{ id: "scripted", object: "model" }], models: [] };
  response.end(JSON.stringify(url.includes("models") ? models : { input_tokens: 10, totalTokens: 10 }));
}

/** Lines of a script, and the one command that the conformance test asks for in a sentence. */
function stepsIn(text: string): readonly Step[] {
  const asked = /Run the shell command `([^`]+)` now/.exec(text)?.[1];
  if (asked !== undefined) return [{ run: asked }];
  return [...text.matchAll(/^[>|\s]*(RUN|SAY|HANG|FAIL|FULL): (.+)$/gm)].map(([, word, rest = ""]) => {
    if (word === "RUN") return { run: rest };
    if (word === "FULL") return { run: rest, isFull: true };
    if (word === "HANG") return { hangMs: Number(rest) };
    return word === "FAIL" ? { fail: Number(rest) } : { say: rest };
  });
}

/** All text in a value, however deep: the APIs wrap content in lists of typed blocks. */
function textIn(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(textIn).join("\n");
  if (typeof value !== "object" || value === null) return "";
  const { text, content, output } = value as Body;
  return textIn(text ?? content ?? output);
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };

/** Gemini CLI writes what a hook says as text of a markup; a model reads it as what it stands for. */
function unescaped(text: string): string {
  return text.includes("<hook_context>")
    ? text.replace(/&(lt|gt|quot|#39|amp);/g, (whole, name: string) => ENTITIES[name] ?? whole)
    : text;
}

function list(value: unknown): readonly Body[] {
  return Array.isArray(value) ? (value as readonly Body[]) : [];
}

function hasTools(body: Body): boolean {
  return list(body["tools"]).length > 0;
}

/** What an answer cost; near the window of every program when the context is to be full. */
function usageOf(isFull: boolean | undefined): { readonly input_tokens: number; readonly output_tokens: number } {
  return { input_tokens: isFull === true ? 195_000 : 100, output_tokens: 20 };
}

const APIS: readonly Api[] = [
  {
    name: "messages",
    path: /\/v1\/messages(\?|$)/,
    read: (body) => ({
      hasTools: hasTools(body),
      entries: list(body["messages"]).flatMap((message): readonly Entry[] => {
        const from = message["role"] === "assistant" ? "Model" : "User";
        const content = message["content"];
        if (typeof content === "string") return [{ from, text: content }];
        return list(content).map((block) => ({
          from: block["type"] === "tool_result" ? "Tool" : from,
          text: textIn(block),
        }));
      }),
    }),
    write: ({ run, say, isFull }, id) => {
      const usage = usageOf(isFull);
      const block =
        run === undefined
          ? { type: "text", text: "" }
          : { type: "tool_use", id: `toolu_${id}`, name: "Bash", input: {} };
      const delta =
        run === undefined
          ? { type: "text_delta", text: say }
          : { type: "input_json_delta", partial_json: JSON.stringify({ command: run, description: "scripted" }) };
      const message = { id: `msg_${id}`, type: "message", role: "assistant", model: "scripted", content: [] };
      const events = [
        { type: "message_start", message: { ...message, stop_reason: null, stop_sequence: null, usage } },
        { type: "content_block_start", index: 0, content_block: block },
        { type: "content_block_delta", index: 0, delta },
        { type: "content_block_stop", index: 0 },
        {
          type: "message_delta",
          delta: { stop_reason: run === undefined ? "end_turn" : "tool_use", stop_sequence: null },
          usage,
        },
        { type: "message_stop" },
      ];
      return events.map((event) => [event.type, event] as const);
    },
  },
  {
    name: "responses",
    path: /\/responses(\?|$)/,
    read: (body) => ({
      hasTools: hasTools(body),
      entries: list(body["input"]).map((item) => ({
        from: String(item["type"]).endsWith("_output") ? "Tool" : item["role"] === "assistant" ? "Model" : "User",
        text: textIn(item),
      })),
    }),
    write: ({ run, say, isFull }, id) => {
      const item =
        run === undefined
          ? { type: "message", role: "assistant", id: `msg_${id}`, content: [{ type: "output_text", text: say }] }
          : {
              type: "function_call",
              id: `fc_${id}`,
              call_id: id,
              name: "exec_command",
              arguments: JSON.stringify({ cmd: run }),
            };
      const used = usageOf(isFull);
      const usage = { ...used, total_tokens: used.input_tokens + used.output_tokens };
      return [
        ["response.created", { type: "response.created", response: { id: `resp_${id}` } }],
        ["response.output_item.done", { type: "response.output_item.done", output_index: 0, item }],
        ["response.completed", { type: "response.completed", response: { id: `resp_${id}`, usage } }],
      ];
    },
  },
  {
    name: "gemini",
    path: /:streamGenerateContent/,
    read: (body) => ({
      hasTools: hasTools(body),
      entries: list(body["contents"]).flatMap((content) =>
        list(content["parts"]).map((part): Entry => {
          const result = part["functionResponse"] as Body | undefined;
          if (result !== undefined) return { from: "Tool", text: textIn(result["response"]) };
          return { from: content["role"] === "model" ? "Model" : "User", text: unescaped(textIn(part)) };
        }),
      ),
    }),
    write: ({ run, say }) => {
      const part =
        run === undefined ? { text: say } : { functionCall: { name: "run_shell_command", args: { command: run } } };
      const candidate = { content: { role: "model", parts: [part] }, finishReason: "STOP", index: 0 };
      const usageMetadata = { promptTokenCount: 100, candidatesTokenCount: 20, totalTokenCount: 120 };
      return [[undefined, { candidates: [candidate], usageMetadata }]];
    },
  },
  {
    name: "completions",
    path: /\/chat\/completions/,
    read: (body) => ({
      hasTools: hasTools(body),
      entries: list(body["messages"]).map((message) => ({
        from: message["role"] === "tool" ? "Tool" : message["role"] === "assistant" ? "Model" : "User",
        text: textIn(message["content"]),
      })),
    }),
    write: ({ run, say }, id) => {
      const call = {
        index: 0,
        id,
        type: "function",
        function: { name: "bash", arguments: JSON.stringify({ command: run, description: "scripted" }) },
      };
      const delta = run === undefined ? { role: "assistant", content: say } : { role: "assistant", tool_calls: [call] };
      const chunk = { id, object: "chat.completion.chunk", created: 1, model: "scripted" };
      const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };
      return [
        [undefined, { ...chunk, choices: [{ index: 0, delta, finish_reason: null }] }],
        [
          undefined,
          {
            ...chunk,
            choices: [{ index: 0, delta: {}, finish_reason: run === undefined ? "stop" : "tool_calls" }],
            usage,
          },
        ],
        [undefined, "[DONE]"],
      ];
    },
  },
];
