import { z } from "zod";
import { readOptions, systemClock, userError } from "../../../foundation/base/index.ts";
import type { EngineDefinition } from "../definition.ts";
import { Connection } from "./connection.ts";
import { TinkerEngine } from "./tinker-engine.ts";

const optionsSchema = z.strictObject({
  model: z.string().min(1),
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  apiKey: z.string().min(1).optional(),
});

export interface TinkerOptions {
  /** The server's name for the model. */
  readonly model: string;
  /** Default `$TINKER_BASE_URL`. */
  readonly baseUrl?: string;
  /** Default `$TINKER_API_KEY`. It is not recorded. */
  readonly apiKey?: string;
}

/**
 * An engine elsewhere: any server that speaks the Tinker API. The folder of the config's model gives configuration and
 * tokenizer; weights stay on the server, and a checkpoint's folder says where. Throws user errors `invalid-option` and,
 * when it is opened, `server-missing`.
 *
 * @example
 * tinker({ baseUrl: "http://127.0.0.1:8000", apiKey: "tml-secret", model: "org/tiny" });
 */
export function tinker(options: TinkerOptions): EngineDefinition {
  const given = readOptions("tinker()", optionsSchema, options);
  const { model } = given;
  return {
    name: "tinker",
    description: { model, ...(given.baseUrl === undefined ? {} : { baseUrl: given.baseUrl }) },
    open: async ({ signal }) => {
      signal?.throwIfAborted();
      const { TINKER_BASE_URL, TINKER_API_KEY } = process.env;
      const [baseUrl, apiKey] = [given.baseUrl ?? TINKER_BASE_URL, given.apiKey ?? TINKER_API_KEY];
      if (baseUrl === undefined)
        throw userError(
          "server-missing",
          "tinker(): give baseUrl, or set TINKER_BASE_URL to a server's address.",
        );
      const connection = new Connection({ baseUrl, apiKey: apiKey ?? "" });
      return new TinkerEngine({ connection, baseUrl, model, clock: systemClock });
    },
  };
}
