import { ApiStatusError } from "../../errors/town-error.ts";
import type { ApiAnswer } from "./api.ts";

interface StatusBody {
  readonly kind?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: Readonly<Record<string, unknown>> & { readonly hint?: string };
}

/** The error that an answer of 400 and above stands for: its `Status` object, or the bare text. */
export function statusError(answer: Pick<ApiAnswer, "status" | "text">): ApiStatusError {
  const body = parsed(answer.text);
  if (body?.kind !== "Status") {
    const text = answer.text.trim();
    return new ApiStatusError(
      answer.status,
      reasonOf(answer.status),
      text === "" ? `the server answered ${answer.status}` : text,
    );
  }
  const { hint, ...details } = body.details ?? {};
  const message = body.message ?? `the server answered ${answer.status}`;
  return new ApiStatusError(
    answer.status,
    body.reason ?? reasonOf(answer.status),
    hint !== undefined && message.endsWith(`\n${hint}`) ? message.slice(0, -hint.length - 1) : message,
    {
      ...(body.details === undefined ? {} : { details }),
      ...(hint === undefined ? {} : { hint }),
    },
  );
}

/** The body of a good answer as JSON; throws ApiStatusError for a bad one. */
export function bodyOf<T>(answer: ApiAnswer): T {
  if (answer.status >= 400) throw statusError(answer);
  return JSON.parse(answer.text) as T;
}

function parsed(text: string): StatusBody | undefined {
  try {
    return JSON.parse(text) as StatusBody;
  } catch {
    return undefined;
  }
}

function reasonOf(status: number): string {
  if (status === 401) return "Unauthorized";
  if (status === 403) return "Forbidden";
  if (status === 404) return "NotFound";
  return status >= 500 ? "InternalError" : "BadRequest";
}
