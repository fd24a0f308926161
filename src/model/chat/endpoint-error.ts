import { APIConnectionError, APIConnectionTimeoutError, APIError } from "openai";
import {
  type ErrorCategory,
  isWhetstoneError,
  messageOf,
  WhetstoneError,
} from "../../foundation/base/index.ts";

/** Whether the endpoint refused a request because of this option of it. */
export function isAbout(error: unknown, option: string): boolean {
  return (
    error instanceof APIError &&
    (error.status === 400 || error.status === 422) &&
    error.message.includes(option)
  );
}

interface Asked {
  readonly model: string;
  readonly baseUrl: string;
}

/** What went wrong at an endpoint, by whose fault it was. */
export function endpointError(error: unknown, { model, baseUrl }: Asked): unknown {
  if (isWhetstoneError(error)) return error;
  const fault = (code: string, category: ErrorCategory, message: string) =>
    new WhetstoneError({ code, category, message, details: { model }, cause: error });
  if (error instanceof APIConnectionTimeoutError)
    return fault("endpoint-timeout", "environment", `${baseUrl} gave no answer in time: raise timeoutMs.`);
  if (error instanceof APIConnectionError)
    return fault(
      "endpoint-unreachable",
      "environment",
      `Nobody answers at ${baseUrl} (${messageOf(error.cause ?? error)}): start the endpoint, or name another.`,
    );
  if (!(error instanceof APIError))
    return fault(
      "endpoint-failed",
      "environment",
      `${baseUrl} sent no answer that can be read (${messageOf(error)}).`,
    );
  const { status = 0 } = error;
  if (status === 401 || status === 403)
    return fault(
      "endpoint-refused-key",
      "user",
      `${baseUrl} takes no such key (${error.message}): set OPENAI_API_KEY, or give apiKey.`,
    );
  return status === 429 || status >= 500 || status === 0
    ? fault("endpoint-failed", "environment", `${baseUrl} failed (${error.message}): try again later.`)
    : fault(
        "endpoint-refused",
        "user",
        `${baseUrl} refuses ${model} or the conversation (${error.message}).`,
      );
}
