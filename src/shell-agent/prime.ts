/** What the verb `prime` says as data. */
export interface Prime {
  readonly hook: Hook | undefined;
  /** An ephemeral agent without work ends. */
  readonly exit: boolean;
  /** What others wrote to this agent since it asked last. */
  readonly messages: readonly Message[];
}

export interface Message {
  readonly from: string;
  readonly subject: string;
  readonly text: string;
  /** A former session was handed it, too. */
  readonly again: boolean;
}

export interface Hook {
  readonly bead: { readonly id: string; readonly title: string; readonly description: string };
  /** From 1; rises when the work was sent back. */
  readonly attempt: number;
  readonly feedback: string;
  /** Whether the bead has a molecule whose steps are closed one by one. */
  readonly molecule: boolean;
  readonly step: { readonly id: string; readonly name: string; readonly description: string } | undefined;
  readonly branch: string;
  /** Commit the sandbox started from; empty when it has none. */
  readonly base: string;
}

/** Reads the verb's data. Throws TypeError that names the field. */
export function primeOf(data: unknown): Prime {
  const root = record(data, "data");
  const messages = messagesOf(root["messages"]);
  if (root["hook"] === null || root["hook"] === undefined)
    return { hook: undefined, exit: root["exit"] === true, messages };
  const hook = record(root["hook"], "hook");
  const bead = record(hook["bead"], "hook.bead");
  const step = hook["step"] === undefined ? undefined : record(hook["step"], "hook.step");
  const attempt = hook["attempt"];
  if (typeof attempt !== "number") throw new TypeError("`hook.attempt` must be a number");
  return {
    exit: root["exit"] === true,
    messages,
    hook: {
      bead: {
        id: text(bead, "id", "hook.bead"),
        title: text(bead, "title", "hook.bead"),
        description: optional(bead, "description"),
      },
      attempt,
      feedback: optional(hook, "feedback"),
      molecule: typeof hook["molecule"] === "string",
      step: step && {
        id: text(step, "id", "hook.step"),
        name: text(step, "name", "hook.step"),
        description: optional(step, "description"),
      },
      branch: optional(hook, "branch"),
      base: optional(hook, "base"),
    },
  };
}

function messagesOf(value: unknown): readonly Message[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new TypeError("`messages` must be a list");
  return value.map((each: unknown, index) => {
    const message = record(each, `messages[${index}]`);
    return {
      from: optional(message, "from"),
      subject: optional(message, "subject"),
      text: optional(message, "text"),
      again: message["again"] === true,
    };
  });
}

function record(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new TypeError(`\`${field}\` must be an object`);
  return value as Readonly<Record<string, unknown>>;
}

function text(of: Readonly<Record<string, unknown>>, key: string, where: string): string {
  const value = of[key];
  if (typeof value !== "string" || value === "") throw new TypeError(`\`${where}.${key}\` must be a text`);
  return value;
}

function optional(of: Readonly<Record<string, unknown>>, key: string): string {
  const value = of[key];
  return typeof value === "string" ? value : "";
}
