import { ApiStatusError, type ErrorCause, TownError, messageOf } from "../errors/town-error.ts";

/** What errors say about a resource: `widgets.town.dev "x" not found`. */
export interface ResourceName {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

export interface StatusBody {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly code: number;
}

/**
 * The Kubernetes Status of an error. Its message ends with the hint, since kubectl shows nothing else; `details.hint` has it
 * for others, too. Anything that is no ApiStatusError is a bug of ours or the disk:
 * 500.
 */
export function statusOf(error: unknown): StatusBody {
  if (!(error instanceof ApiStatusError)) {
    const message =
      error instanceof TownError
        ? withHint(messageOf(error), error.hint)
        : `Internal error occurred: ${messageOf(error)}`;
    const hint = error instanceof TownError && error.hint !== undefined ? { hint: error.hint } : {};
    return failure(500, "InternalError", message, { ...hint, causes: [{ message: messageOf(error) }] });
  }
  const details = {
    ...error.details,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.causes.length > 0 ? { causes: error.causes } : {}),
  };
  return failure(
    error.code,
    error.reason,
    withHint(error.message, error.hint),
    Object.keys(details).length === 0 ? undefined : details,
  );
}

export function success(details: Readonly<Record<string, unknown>>): StatusBody {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details, code: 200 };
}

function failure(
  code: number,
  reason: string,
  message: string,
  details: Readonly<Record<string, unknown>> | undefined,
): StatusBody {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  };
}

function withHint(message: string, hint: string | undefined): string {
  return hint === undefined ? message : `${message}\n${hint}`;
}

function qualified({ group, plural }: ResourceName): string {
  return group === "" ? plural : `${plural}.${group}`;
}

function qualifiedKind({ group, kind }: ResourceName): string {
  return group === "" ? kind : `${kind}.${group}`;
}

function detailsOf(resource: ResourceName, name: string): Readonly<Record<string, unknown>> {
  return { name, ...(resource.group === "" ? {} : { group: resource.group }), kind: resource.plural };
}

export function notFound(resource: ResourceName, name: string): ApiStatusError {
  return new ApiStatusError(404, "NotFound", `${qualified(resource)} "${name}" not found`, {
    details: detailsOf(resource, name),
  });
}

export function alreadyExists(resource: ResourceName, name: string): ApiStatusError {
  return new ApiStatusError(409, "AlreadyExists", `${qualified(resource)} "${name}" already exists`, {
    details: detailsOf(resource, name),
  });
}

export function staleVersion(resource: ResourceName, name: string): ApiStatusError {
  return conflict(
    resource,
    name,
    `Operation cannot be fulfilled on ${qualified(resource)} "${name}": the object has been modified; please apply your changes to the latest version and try again`,
  );
}

export function conflict(resource: ResourceName, name: string, message: string): ApiStatusError {
  return new ApiStatusError(409, "Conflict", message, { details: detailsOf(resource, name) });
}

/** 422 with one cause per field, summed up in the message as Kubernetes does. */
export function invalid(resource: ResourceName, name: string, causes: readonly ErrorCause[]): ApiStatusError {
  const texts = causes.map(({ field, message }) => (field === undefined ? message : `${field}: ${message}`));
  const list = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  return new ApiStatusError(422, "Invalid", `${qualifiedKind(resource)} "${name}" is invalid: ${list}`, {
    details: { name, ...(resource.group === "" ? {} : { group: resource.group }), kind: resource.kind },
    causes,
  });
}

export function forbidden(resource: ResourceName, name: string, why: string): ApiStatusError {
  const object = name === "" ? qualified(resource) : `${qualified(resource)} "${name}"`;
  return new ApiStatusError(403, "Forbidden", `${object} is forbidden: ${why}`, { details: detailsOf(resource, name) });
}

export function badRequest(message: string): ApiStatusError {
  return new ApiStatusError(400, "BadRequest", message);
}

export function methodNotAllowed(message: string): ApiStatusError {
  return new ApiStatusError(405, "MethodNotAllowed", message);
}

export function unauthorized(message = "Unauthorized"): ApiStatusError {
  return new ApiStatusError(401, "Unauthorized", message);
}

export function expired(message: string): ApiStatusError {
  return new ApiStatusError(410, "Expired", message);
}

export function tooLargeVersion(): ApiStatusError {
  return new ApiStatusError(504, "Timeout", "Too large resource version", {
    details: { retryAfterSeconds: 1 },
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
  });
}

export function unsupportedMediaType(accepted: readonly string[]): ApiStatusError {
  return new ApiStatusError(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
  );
}

export function notAcceptable(accepted: readonly string[]): ApiStatusError {
  return new ApiStatusError(
    406,
    "NotAcceptable",
    `only the following media types are accepted: ${accepted.join(", ")}`,
  );
}

export function tooLargeBody(limitBytes: number): ApiStatusError {
  return new ApiStatusError(413, "RequestEntityTooLarge", `Request entity too large: limit is ${limitBytes} bytes`);
}
