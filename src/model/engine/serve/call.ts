import type { z } from "zod";
import { messageOf, readOptions, userError } from "../../../foundation/base/index.ts";
import type { Reply } from "./reply.ts";
import type { ServerState } from "./state.ts";

/** One HTTP request, read whole. */
export interface Call {
  /** What stands in the places of the path that are open. */
  readonly parameters: readonly string[];
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly body: Buffer;
  /** The body is larger than the server takes; `body` is its beginning. */
  readonly cutOff: boolean;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

export type Handler = (state: ServerState, call: Call) => Reply | Promise<Reply>;

/**
 * A seed with more digits than a double holds: of it the lowest 48 bits count ({@link seedOf}), so neighbours stay apart. No
 * quote stands bare in a JSON text, so this is a member of that name and nothing else.
 */
const longSeed = /"seed"\s*:\s*(-?\d{16,80})(?![\d.eE])/g;
const seedBits = 48;

/** Any integer is a seed, and engines have 48 bits of it. */
export const seedOf = (seed: number): number => Number(BigInt.asUintN(seedBits, BigInt(seed)));

/** The JSON of a body; an empty one is an empty object. Throws user errors `malformed-json` and `body-too-large`. */
export function parseJson({ body, cutOff }: Call): unknown {
  if (cutOff) throw tooLarge();
  if (body.length === 0) return {};
  try {
    const text = body.toString("utf8");
    return JSON.parse(
      text.replace(longSeed, (_, digits: string) => `"seed":${BigInt.asUintN(seedBits, BigInt(digits))}`),
    );
  } catch (error) {
    throw userError("malformed-json", `The body is no JSON (${messageOf(error)}).`);
  }
}

export const tooLarge = () =>
  userError("body-too-large", "The request is larger than this server takes: send the data in several.");

/** A body that fits its schema. Throws what {@link parseJson} does, and a user error `invalid-option`. */
export function readBody<S extends z.ZodType>(name: string, schema: S, call: Call): z.output<S> {
  return readOptions(name, schema, parseJson(call));
}
