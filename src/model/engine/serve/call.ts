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
 * Numbers with more digits than a double holds. Of a seed the lowest 48 bits count ({@link seedOf}), so neighbours stay apart. The
 * number of a draw is kept as a text: copies of the SDK's sampling client, in other processes, count from a multiple of 1e9 below
 * 1e18. No quote stands bare in a JSON text, so these are members of those names and nothing else.
 */
const longNumber = /"(seed|seq_id)"\s*:\s*(-?\d{16,80})(?![\d.eE])/g;
const seedBits = 48;

/** Any integer is a seed, and engines have 48 bits of it. */
export const seedOf = (seed: number): number => Number(BigInt.asUintN(seedBits, BigInt(seed)));

/** The JSON of a body; an empty one is an empty object. Throws user errors `malformed-json` and `body-too-large`. */
export function parseJson({ body, cutOff }: Call): unknown {
  if (cutOff) throw tooLarge();
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString("utf8").replace(longNumber, exactly));
  } catch (error) {
    throw userError("malformed-json", `The body is no JSON (${messageOf(error)}).`);
  }
}

function exactly(member: string, name: string, digits: string): string {
  if (name === "seed") return `"seed":${BigInt.asUintN(seedBits, BigInt(digits))}`;
  return Number.isSafeInteger(Number(digits)) ? member : `"seq_id":"${digits}"`;
}

export const tooLarge = () =>
  userError("body-too-large", "The request is larger than this server takes: send the data in several.");

/** A body that fits its schema. Throws what {@link parseJson} does, and a user error `invalid-option`. */
export function readBody<S extends z.ZodType>(name: string, schema: S, call: Call): z.output<S> {
  return readOptions(name, schema, parseJson(call));
}
