import {
  type Comparison,
  type Contender,
  type ContenderScore,
  compareWeights,
  readContender,
  readHarness,
} from "../../../loop/run.ts";
import { comparisonWords } from "../../report/index.ts";
import { answer } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { interruptible } from "../interruption.ts";
import { loadConfig } from "../load-config.ts";
import type { JsonFlags } from "../route-parts.ts";

export interface CompareFlags extends JsonFlags {
  readonly items?: number;
  readonly harnessA?: string;
  readonly harnessB?: string;
}

/** Two models, or two ways to answer, on the same audit items. */
export async function compareCommand(
  this: CliContext,
  flags: CompareFlags,
  a: string,
  b: string,
  where = ".",
): Promise<void> {
  const { output, parameters } = this;
  await answer(this, flags.json, async () => {
    const { definition, folder } = await loadConfig(where, parameters);
    const { items, harnessA, harnessB } = flags;
    const contenders = [contender(a, harnessA), contender(b, harnessB)] as const;
    using interruption = interruptible({ say: () => {} });
    const comparison = await compareWeights(definition, {
      folder,
      a: contenders[0],
      b: contenders[1],
      ...(items === undefined ? {} : { perStratum: items }),
      signal: interruption.signal,
      onProgress: (done, total) => output.passing(`${done} of ${total} answers`),
    });
    output.passing("");
    if (flags.json) output.json(jsonOf(comparison, [a, b]));
    else for (const line of comparisonWords(comparison, [a, b])) output.line(line);
    return 0;
  });
}

/** Paths are typed where the command runs, which need not be the project's folder. */
function contender(text: string, harness: string | undefined): Contender {
  const found = readContender(text, process.cwd());
  return harness === undefined ? found : { ...found, harness: readHarness(harness) };
}

/** The form that docs/cli.md documents. */
function jsonOf(comparison: Comparison, [a, b]: readonly [string, string]): unknown {
  const { split, items, gain, better, sameWeights, strata, warning } = comparison;
  const side = (given: string, { run, round, checkpoint, harness, measurement }: ContenderScore) => {
    const { mean, interval } = measurement;
    return { given, run, round, checkpoint, harness, accuracy: { estimate: mean, ...interval } };
  };
  return {
    a: side(a, comparison.a),
    b: side(b, comparison.b),
    split,
    items,
    gain: { estimate: gain.mean, ...gain.interval, pairs: gain.pairs },
    better,
    sameWeights,
    strata: strata.map(
      ({ stratum, difficulty, before, after, gain: own, won, lost, enumerated, counts }) => ({
        stratum,
        difficulty,
        items: own.pairs,
        a: before,
        b: after,
        gain: { estimate: own.mean, ...own.interval },
        won,
        lost,
        enumerated,
        counts,
      }),
    ),
    warning,
  };
}
