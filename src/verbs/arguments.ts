import type { z } from "zod";
import { ApiStatusError } from "../errors/town-error.ts";

/** Arguments of a verb, validated; a wrong one is answered with 400 and names the flag. */
export function argumentsOf<S extends z.ZodType>(verb: string, schema: S, args: unknown): z.infer<S> {
  const parsed = schema.safeParse(args);
  if (parsed.success) return parsed.data;
  const causes = parsed.error.issues.map((issue) => ({
    reason: "FieldValueInvalid",
    message: issue.message,
    field: issue.path.join("."),
  }));
  const text = causes
    .map((cause) => (cause.field === "" ? cause.message : `--${cause.field}: ${cause.message}`))
    .join("; ");
  throw new ApiStatusError(400, "BadRequest", `town ${verb}: ${text}`, { causes, hint: `town help ${verb}` });
}
