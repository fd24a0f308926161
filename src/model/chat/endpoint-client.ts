import OpenAI from "openai";
import { userError } from "../../foundation/base/index.ts";

export { endpointError, isAbout } from "./endpoint-error.ts";

export interface ClientOptions {
  readonly baseUrl: string | undefined;
  readonly apiKey: string | undefined;
  readonly timeoutMs: number;
  readonly retries: number;
}

/** What was given, else what the SDK's own variables say. Throws a user error `endpoint-key-missing`. */
export function clientOf({ baseUrl, apiKey, timeoutMs, retries }: ClientOptions): OpenAI {
  const { OPENAI_BASE_URL, OPENAI_API_KEY } = process.env;
  const [url, key] = [baseUrl ?? OPENAI_BASE_URL, apiKey ?? OPENAI_API_KEY];
  const elsewhere = url !== undefined && url !== "";
  if (!elsewhere && (key === undefined || key === ""))
    throw userError(
      "endpoint-key-missing",
      "chatEndpoint(): set OPENAI_API_KEY, or give apiKey; for an endpoint of your own give baseUrl.",
    );
  // An endpoint of one's own may want no key, and the SDK always sends one.
  return new OpenAI({
    apiKey: key || "none",
    ...(elsewhere ? { baseURL: url } : {}),
    timeout: timeoutMs,
    maxRetries: retries,
  });
}
