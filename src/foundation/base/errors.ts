import type { Scalar } from "./json.ts";

/** Who can mend it: the person (`user`), the machine (`environment`), the engine's process (`engine`), or us (`internal`). */
export type ErrorCategory = "user" | "environment" | "engine" | "internal";

export interface ErrorOptions {
  /** Stable, kebab-case, documented; scripts may branch on it. */
  readonly code: string;
  readonly category: ErrorCategory;
  /** What happened, and what to do next. */
  readonly message: string;
  readonly details?: Readonly<Record<string, Scalar>>;
  readonly cause?: unknown;
}

const mark = Symbol.for("whetstone.error");

/**
 * The one error class of the project. Expected outcomes (a rejected candidate, a void rollout) are values, never errors.
 *
 * @example
 * new WhetstoneError({ code: "no-paper", category: "environment", message: "The printer is empty: fill it." });
 */
export class WhetstoneError extends Error {
  readonly code: string;
  readonly category: ErrorCategory;
  readonly details: Readonly<Record<string, Scalar>>;

  constructor(options: ErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "WhetstoneError";
    this.code = options.code;
    this.category = options.category;
    this.details = options.details ?? {};
    Object.defineProperty(this, mark, { value: true });
  }
}

/**
 * Recognises a {@link WhetstoneError} also across two copies of the package.
 *
 * @example
 * try {
 *   defineRun({ task: reverse({ lenghts: [1, 8] } as object) });
 * } catch (error) {
 *   if (isWhetstoneError(error)) error.code; // "invalid-option"
 * }
 */
export function isWhetstoneError(value: unknown): value is WhetstoneError {
  return typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[mark] === true;
}

/** A mistake that the person at the keyboard can mend. */
export function userError(
  code: string,
  message: string,
  details?: Readonly<Record<string, Scalar>>,
): WhetstoneError {
  return new WhetstoneError({ code, category: "user", message, ...(details ? { details } : {}) });
}

/** A state that our own code must never reach. */
export function internalError(message: string, details?: Readonly<Record<string, Scalar>>): WhetstoneError {
  return new WhetstoneError({
    code: "internal",
    category: "internal",
    message: `${message} (this is a fault of Whetstone; please report it)`,
    ...(details ? { details } : {}),
  });
}

/** One line for a person, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why a file cannot be read or written, in words. */
export function fileReason(error: unknown): string {
  return (error as NodeJS.ErrnoException).code === "EISDIR" ? "it is a folder" : messageOf(error);
}
