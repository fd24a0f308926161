import type { EngineCapabilities } from "../../../foundation/contract/index.ts";
import type { Bench } from "./bench.ts";
import type { ConformanceSubject } from "./subject.ts";

/** A check before it is bound to an engine. */
export interface CheckDefinition {
  readonly name: string;
  /** In the fast part too. */
  readonly fast?: true;
  /** Why an engine with these capabilities, or a model, need not pass; undefined when it must. */
  readonly excuse?: Excuse;
  readonly check: (bench: Bench) => Promise<void>;
}

export type Excuse = (capabilities: EngineCapabilities, subject: ConformanceSubject) => string | undefined;

/** The first excuse that there is. */
export const anyOf =
  (...excuses: readonly Excuse[]): Excuse =>
  (capabilities, subject) => {
    for (const excuse of excuses) {
      const reason = excuse(capabilities, subject);
      if (reason !== undefined) return reason;
    }
    return undefined;
  };

/** Unless the engine has all these losses. */
export const lacks =
  (...losses: EngineCapabilities["losses"]): Excuse =>
  (capabilities) => {
    const missing = losses.find((name) => !capabilities.losses.includes(name));
    return missing === undefined ? undefined : `it has no ${missing}`;
  };

export const countable = 1024;

/** Unless each token of the vocabulary can be looked at. */
export const manyTokens: Excuse = (_, { vocabularySize }) =>
  vocabularySize <= countable ? undefined : `${vocabularySize} tokens are too many to look at each`;

/** Unless the model has room for adapters. */
export const holdsOwnAdapters: Excuse = (_, { adapters }) =>
  adapters === true ? "its model comes as adapters, and no others fit over them" : undefined;

/** Unless a seed decides the weights. */
export const notDrawn: Excuse = (_, { trained }) =>
  trained === true ? "no seed decides its weights" : undefined;
