import { type NoOptions, refuseOptions } from "../../../foundation/base/index.ts";
import type { EngineCapabilities } from "../../../foundation/contract/index.ts";
import { adapterChecks } from "./adapter-checks.ts";
import { architectureChecks } from "./architecture-checks.ts";
import { shortfall } from "./assert.ts";
import { Bench, capabilitiesOf, isRough, linesOfSubject, normUntold } from "./bench.ts";
import type { CheckDefinition } from "./check.ts";
import { checkpointChecks } from "./checkpoint-checks.ts";
import { clippingChecks } from "./clipping-checks.ts";
import { concurrencyChecks } from "./concurrency-checks.ts";
import { determinismChecks } from "./determinism-checks.ts";
import { differenceChecks } from "./difference-checks.ts";
import { extensionChecks } from "./extension-checks.ts";
import { finiteChecks } from "./finite-checks.ts";
import { gradientChecks } from "./gradient-checks.ts";
import { lossChecks } from "./loss-checks.ts";
import { optimizerChecks } from "./optimizer-checks.ts";
import { packingChecks } from "./packing-checks.ts";
import { policyLossChecks } from "./policy-loss-checks.ts";
import { refusalChecks } from "./refusal-checks.ts";
import { samplerChecks } from "./sampler-checks.ts";
import { samplingChecks } from "./sampling-checks.ts";
import { sequenceChecks } from "./sequence-checks.ts";
import { stopChecks } from "./stop-checks.ts";
import type { ConformanceCheck, ConformanceSubject } from "./subject.ts";

/**
 * What every engine promises, check by check; equal quantities may differ by the tolerance that the engine states. Any
 * engine can be checked: run each, and let what is thrown fail.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "model-"));
 * const { path, tokenizer } = await tiny().prepare(folder, { characters: "0123456789=", projectFolder: folder });
 * await using engine = await tabular().open({ logFolder: folder });
 * const tokens = [...tokenizer.encode("0123456789=")];
 * const subject = { engine, modelFolder: path, vocabularySize: tokenizer.vocabularySize, tokens };
 * for (const { name, run } of conformanceChecks()) console.log(name, (await run(subject)).outcome);
 */
export function conformanceChecks(options: NoOptions = {}): readonly ConformanceCheck[] {
  refuseOptions("conformanceChecks()", options);
  return [
    ...lossChecks,
    ...policyLossChecks,
    ...gradientChecks,
    ...differenceChecks,
    ...clippingChecks,
    ...packingChecks,
    ...finiteChecks,
    ...optimizerChecks,
    ...sequenceChecks,
    ...refusalChecks,
    ...samplerChecks,
    ...samplingChecks,
    ...stopChecks,
    ...checkpointChecks,
    ...concurrencyChecks,
    ...determinismChecks,
    ...adapterChecks,
    ...extensionChecks,
    ...architectureChecks,
  ].map(bound);
}

/** A table's logits move by about the learning rate, and logprobs in bf16 must move by a nat to be told apart. */
const longestStride = 5000;

/**
 * Steps that move a drawn model by a nat take what a trained one has learnt apart, and what is left of it is at the mercy of
 * roundings, where there are any to speak of.
 */
const firstStride = (
  { trained, precision = "fp32" }: ConformanceSubject,
  capabilities: EngineCapabilities,
): number => (trained === true && isRough(capabilities, precision) ? 1e-3 : 1);

/** What moved too little to tell is tried again, with steps that go farther. */
function bound({ name, fast, excuse, check }: CheckDefinition): ConformanceCheck {
  return {
    name,
    fast: fast === true,
    run: async (subject) => {
      const capabilities = await capabilitiesOf(subject);
      const reason = excuse?.(capabilities, subject);
      if (reason !== undefined) return { outcome: "not-applicable", reason };
      const lines = await linesOfSubject(subject, capabilities);
      for (let stride = firstStride(subject, capabilities); ; ) {
        await using bench = new Bench(subject, capabilities, stride, lines);
        try {
          await check(bench);
        } catch (error) {
          if (error === normUntold)
            return { outcome: "not-applicable", reason: "it does not tell the gradient's norm" };
          const short = shortfall(error);
          if (short === undefined || !bench.strode || stride > longestStride) throw error;
          stride *= Math.min(Math.max(1.25 * short, 1.5), 16);
          continue;
        }
        const { worst } = bench;
        return { outcome: "passed", ...(worst === undefined ? {} : { worst }) };
      }
    },
  };
}
