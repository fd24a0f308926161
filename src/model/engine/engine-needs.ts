import { userError } from "../../foundation/base/index.ts";
import type { EngineNeeds } from "../../foundation/contract/index.ts";
import type { EngineAbilities } from "./definition.ts";

/** An engine by its name, and what it can do. */
export interface AbleEngine {
  readonly name: string;
  readonly abilities?: EngineAbilities;
}

/** Parts of the needs that the abilities do not cover, in words. */
export function missingFrom(abilities: EngineAbilities, needs: EngineNeeds): readonly string[] {
  const { losses, optimizers, precisions, extensions, loraRank, topLogprobs } = abilities;
  const lacking = <T extends string>(
    wanted: readonly T[] = [],
    there: readonly T[],
    what: string,
  ): string[] => wanted.filter((one) => !there.includes(one)).map((one) => `${what} ${one}`);
  const when = (missing: boolean, words: string): string[] => (missing ? [words] : []);
  const flag = (name: "gradientCheckpointing" | "stopStrings" | "topK", words: string): string[] =>
    when(needs[name] === true && !abilities[name], words);
  const { loraRank: rank = 0, topLogprobs: top = 0 } = needs;
  return [
    ...lacking(needs.losses, losses, "the loss"),
    ...lacking(needs.optimizers, optimizers, "the optimiser"),
    ...lacking(needs.precision === undefined ? [] : [needs.precision], precisions, "the precision"),
    ...when(rank > loraRank, loraRank === 0 ? "adapters" : `adapters of rank ${rank}`),
    ...flag("gradientCheckpointing", "gradient checkpointing"),
    ...flag("stopStrings", "stop strings"),
    ...flag("topK", "top-k sampling"),
    ...when(
      top > topLogprobs,
      topLogprobs === 0 ? "the most probable tokens" : `the ${top} most probable tokens`,
    ),
    ...lacking(needs.extensions, extensions, "the extension"),
    ...when(
      needs.signedWeights === true && abilities.signedWeights === false,
      "weights that it takes as they are, negative ones too",
    ),
    ...when(
      needs.gradientClipping === true && abilities.gradientClipping === false,
      "clipping of the gradient's norm (a gradientClipNorm of 0 needs none)",
    ),
    ...when(needs.weightDecay === true && abilities.weightDecay === false, "weight decay"),
    ...when(needs.topP === true && abilities.topP === false, "top-p sampling"),
    ...when(
      needs.freshOptimizer === true && abilities.freshOptimizer === false,
      'checkpoints that it loads without their moments (optimizerState: "continued" keeps them)',
    ),
    ...when(
      needs.gradientNorm === true && abilities.untold?.includes("gradient-norm") === true,
      "the norm of the gradient",
    ),
    ...when(
      needs.prices === true && abilities.prices === undefined,
      "prices (tinker({ prices: … }) gives them)",
    ),
    ...lacking(needs.deterministic, abilities.deterministic ?? [], "equal bits of equal"),
  ];
}

/**
 * Compares what is needed with what an engine has, before anything starts. Throws a user error `engine-lacks` that names what
 * is missing, and which of the other engines have all of it.
 */
export function checkNeeds(
  { name, abilities }: AbleEngine & { readonly abilities: EngineAbilities },
  needs: EngineNeeds,
  others: readonly AbleEngine[] = [],
): void {
  const missing = missingFrom(abilities, needs);
  if (missing.length === 0) return;
  const able = others
    .filter((other) => other.name !== name && other.abilities !== undefined)
    .filter((other) => missingFrom(other.abilities as EngineAbilities, needs).length === 0)
    .map((other) => `${other.name}()`);
  throw userError(
    "engine-lacks",
    `The engine ${name} does not have ${listed(missing, "or")}, which is asked of it; ${
      able.length === 0 ? "no engine that Whetstone brings has all of it." : `use ${listed(able, "or")}.`
    }`,
    { engine: name, missing: missing.join(", ") },
  );
}

function listed(words: readonly string[], last: string): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;
}
