/** Tokens that a program recorded for one model. */
export interface ModelUsage {
  /** As the program names it; empty when it does not say. */
  readonly model: string;
  /** Tokens sent that no cache held. */
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/**
 * Where a reader is in a program's record: what must be known to count nothing twice. Kept as JSON between looks.
 */
export interface UsagePlace {
  /** Bytes of the file that were counted. */
  readonly offset: number;
  /** Claude: id of the message counted last; its lines come one after the other, each with the usage of all of it. */
  readonly message?: string;
  /** What was counted for that message. */
  readonly counted?: ModelUsage;
  /** Codex: model of the turn under way. */
  readonly model?: string;
  /** Codex, Gemini: sums of the conversation so far, as the program states them. */
  readonly total?: ModelUsage;
}

export const USAGE_START: UsagePlace = { offset: 0 };

/** Whose record it is. Lines: the file only grows. Whole: it is written anew at each change. */
export const USAGE_FORMATS = { Claude: "Lines", Codex: "Lines", Gemini: "Whole" } as const;
export type UsageFormat = keyof typeof USAGE_FORMATS;

export interface UsageReading {
  readonly place: UsagePlace;
  readonly added: readonly ModelUsage[];
}

/**
 * Counts what is new. `text` begins at `place.offset` for records of lines (a last line without its end is left for the
 * next time) and is the whole file otherwise. What is no record of usage is passed over: programs change their files.
 *
 * Shapes: Claude Code 2.1 `projects/<dir>/<session>.jsonl`, Codex 0.169 `sessions/…/rollout-*.jsonl`, Gemini CLI 0.61
 * `tmp/<project>/chats/session-*.json` and `.jsonl`.
 */
export function readUsage(format: UsageFormat, text: string, place: UsagePlace): UsageReading {
  if (USAGE_FORMATS[format] === "Whole") return readGemini(text, place);
  const end = text.lastIndexOf("\n") + 1;
  const lines = text.slice(0, end).split("\n");
  const added = new Map<string, ModelUsage>();
  let at = place;
  for (const line of lines) {
    const record = line.includes("usage") || line.includes("turn_context") ? parsed(line) : undefined;
    if (record === undefined) continue;
    const step = format === "Claude" ? readClaudeLine(record, at) : readCodexLine(record, at);
    at = step.place;
    for (const usage of step.added) add(added, usage);
  }
  const offset = place.offset + new TextEncoder().encode(text.slice(0, end)).length;
  return { place: { ...at, offset }, added: [...added.values()] };
}

function readClaudeLine(record: Fields, place: UsagePlace): UsageReading {
  const message = fields(record["message"]);
  const usage = fields(message["usage"]);
  const id = message["id"];
  if (record["type"] !== "assistant" || typeof id !== "string" || message["usage"] === undefined)
    return { place, added: [] };
  const now: ModelUsage = {
    model: textOf(message["model"]),
    input: numberOf(usage["input_tokens"]),
    output: numberOf(usage["output_tokens"]),
    cacheRead: numberOf(usage["cache_read_input_tokens"]),
    cacheWrite: numberOf(usage["cache_creation_input_tokens"]),
  };
  const before = place.message === id ? place.counted : undefined;
  return { place: { ...place, message: id, counted: now }, added: [since(now, before)] };
}

function readCodexLine(record: Fields, place: UsagePlace): UsageReading {
  const payload = fields(record["payload"]);
  if (record["type"] === "turn_context") return { place: { ...place, model: textOf(payload["model"]) }, added: [] };
  const info = fields(payload["info"]);
  if (payload["type"] !== "token_count" || info["total_token_usage"] === undefined) return { place, added: [] };
  const total = fields(info["total_token_usage"]);
  const cached = numberOf(total["cached_input_tokens"]);
  const now: ModelUsage = {
    model: place.model ?? "",
    input: Math.max(0, numberOf(total["input_tokens"]) - cached),
    output: numberOf(total["output_tokens"]),
    cacheRead: cached,
    cacheWrite: 0,
  };
  // A sum that fell belongs to another conversation in the same file.
  const former = place.total !== undefined && place.total.output <= now.output ? place.total : undefined;
  return { place: { ...place, total: now }, added: [since(now, former)] };
}

function readGemini(text: string, place: UsagePlace): UsageReading {
  const whole = parsed(text);
  const messages =
    whole !== undefined && Array.isArray(whole["messages"])
      ? whole["messages"].map(fields)
      : text.split("\n").map((line) => parsed(line) ?? {});
  const byId = new Map<string, Fields>();
  for (const [index, message] of messages.entries())
    if (message["tokens"] !== undefined) byId.set(textOf(message["id"]) || String(index), message);
  const sums = new Map<string, ModelUsage>();
  for (const message of byId.values()) {
    const tokens = fields(message["tokens"]);
    const cached = numberOf(tokens["cached"]);
    add(sums, {
      model: textOf(message["model"]),
      input: Math.max(0, numberOf(tokens["input"]) + numberOf(tokens["tool"]) - cached),
      output: numberOf(tokens["output"]) + numberOf(tokens["thoughts"]),
      cacheRead: cached,
      cacheWrite: 0,
    });
  }
  const total = [...sums.values()].reduce<ModelUsage | undefined>(
    (sum, each) => (sum === undefined ? each : plus(sum, each)),
    undefined,
  );
  const offset = new TextEncoder().encode(text).length;
  if (total === undefined) return { place: { ...place, offset }, added: [] };
  return { place: { ...place, offset, total }, added: [since(total, place.total)] };
}

type Fields = Readonly<Record<string, unknown>>;

function parsed(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? Math.round(value) : 0;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function add(sums: Map<string, ModelUsage>, usage: ModelUsage): void {
  if (usage.input + usage.output + usage.cacheRead + usage.cacheWrite === 0) return;
  const former = sums.get(usage.model);
  sums.set(usage.model, former === undefined ? usage : plus(former, usage));
}

function plus(a: ModelUsage, b: ModelUsage): ModelUsage {
  return combined(a, b, (x, y) => x + y);
}

function since(now: ModelUsage, before: ModelUsage | undefined): ModelUsage {
  return before === undefined ? now : combined(now, before, (x, y) => Math.max(0, x - y));
}

function combined(a: ModelUsage, b: ModelUsage, by: (x: number, y: number) => number): ModelUsage {
  return {
    model: a.model,
    input: by(a.input, b.input),
    output: by(a.output, b.output),
    cacheRead: by(a.cacheRead, b.cacheRead),
    cacheWrite: by(a.cacheWrite, b.cacheWrite),
  };
}
