import type { EngineNeeds } from "../../foundation/contract/index.ts";
import { methodOf } from "../../gro/method/index.ts";
import { checkNeeds, type EngineAbilities } from "../../model/engine/index.ts";
import { local } from "../../model/engine/local/index.ts";
import { tabular } from "../../model/engine/tabular/index.ts";
import type { RunDefinition } from "../round/definition.ts";
import { partsOf } from "./parts-of.ts";

/** What every run does: it looks at logprobs, and trains with AdamW and its decay. */
const always: EngineNeeds = { losses: ["cross_entropy"], optimizers: ["adamw"], weightDecay: true };

/** Needs that a part has or has not. */
const switches = [
  "gradientCheckpointing",
  "stopStrings",
  "topK",
  "signedWeights",
  "gradientClipping",
  "weightDecay",
  "topP",
  "freshOptimizer",
  "gradientNorm",
  "prices",
] as const satisfies readonly (keyof EngineNeeds)[];

/** What the parts of a run ask of its engine, all rounds together. */
export function engineNeedsOf(definition: RunDefinition): EngineNeeds {
  const { engine, optimize, refine, prepare, precision, lora, gradientCheckpointing, budget } = definition;
  const methods = Array.from({ length: Math.max(1, budget.rounds) }, (_, index) =>
    methodOf(optimize, index + 1),
  );
  const passes = methods.flatMap((method) => method.passes);
  const parts = [prepare?.needs, refine.needs, ...passes.flatMap(partsOf).map(({ needs }) => needs)];
  const own: EngineNeeds = {
    precision,
    gradientCheckpointing,
    ...(lora ? { loraRank: lora.rank } : {}),
    prices: budget.currency !== undefined,
    // What was asked of the engine by its option is a need: the opened one says whether it has it on this machine.
    ...(engine.description.deterministic === true
      ? { deterministic: engine.abilities?.deterministic ?? [] }
      : {}),
  };
  return [always, ...parts].reduce<EngineNeeds>((sum, needs) => together(sum, needs ?? {}), own);
}

function together(one: EngineNeeds, other: EngineNeeds): EngineNeeds {
  const most = (name: "loraRank" | "topLogprobs") => Math.max(one[name] ?? 0, other[name] ?? 0);
  const either = (name: (typeof switches)[number]) => one[name] === true || other[name] === true;
  return {
    ...one,
    losses: union(one.losses, other.losses),
    optimizers: union(one.optimizers, other.optimizers),
    extensions: union(one.extensions, other.extensions),
    deterministic: union(one.deterministic, other.deterministic),
    loraRank: most("loraRank"),
    topLogprobs: most("topLogprobs"),
    ...Object.fromEntries(switches.map((name) => [name, either(name)])),
  };
}

function union<T>(one: readonly T[] = [], other: readonly T[] = []): readonly T[] {
  return [...new Set([...one, ...other])];
}

/**
 * Refuses a run whose engine lacks what it needs: before anything starts where the engine says beforehand what it can, else
 * with the abilities of the opened one. Throws a user error `engine-lacks`.
 */
export function refuseLacking(
  definition: RunDefinition,
  abilities: EngineAbilities | undefined = definition.engine.abilities,
): void {
  if (abilities === undefined) return;
  checkNeeds({ name: definition.engine.name, abilities }, engineNeedsOf(definition), [local(), tabular()]);
}
