import { z } from "zod";
import { readOptions, systemClock } from "../../../foundation/base/index.ts";
import type { EngineDefinition } from "../definition.ts";
import { abilities } from "./abilities.ts";
import { TabularEngine } from "./tabular-engine.ts";

const optionsSchema = z
  .strictObject({
    horizon: z.number().int().min(1).default(64),
    backOff: z.number().int().min(1).optional(),
    deviation: z.number().min(0).default(1),
  })
  .refine(({ horizon, backOff = 1 }) => backOff <= horizon, {
    path: ["backOff"],
    error: "it is at most the horizon",
  });

export interface TabularOptions {
  /** Prefixes of at most so many tokens, prompt included, have logits of their own; default 64. */
  readonly horizon?: number;
  /** Longer ones share those of their last so many tokens; default 8, or the horizon where that is less. */
  readonly backOff?: number;
  /** Of the initial logits, which are normal; 0 begins with the uniform distribution. Default 1. */
  readonly deviation?: number;
}

const defaultBackOff = 8;

/**
 * An engine whose policy is a table: for each prefix the logits of the next token, with exact logprobs and gradients. It
 * reads a model's folder only for the vocabulary, the longest sequence and the impossible tokens, needs nothing but this
 * process, and honours the whole contract: the twin for tests and for theory. It learns what it has seen, and
 * generalises to nothing else. Throws a user error `invalid-option`.
 *
 * @example
 * await using engine = await tabular({ horizon: 32 }).open({ logFolder: "logs" });
 */
export function tabular(options: TabularOptions = {}): EngineDefinition {
  const read = readOptions("tabular()", optionsSchema, options);
  const { horizon, deviation, backOff = Math.min(defaultBackOff, horizon) } = read;
  return {
    name: "tabular",
    description: { horizon, backOff, deviation },
    abilities,
    open: async ({ signal }) => {
      signal?.throwIfAborted();
      return new TabularEngine({ clock: systemClock, reach: { horizon, backOff }, deviation });
    },
  };
}
