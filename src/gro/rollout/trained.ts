import type { Example, TrainedExample } from "../../foundation/contract/index.ts";
import { exampleId } from "./example.ts";

/** Examples with how often each was learnt from, and how many optimiser steps past the named weights their rollouts were made. */
export interface ExampleUses {
  readonly uses: ReadonlyMap<Example, number>;
  readonly stepsAfter: number;
}

/**
 * What was learnt from, as lineage keeps it: one entry an example and place that it came from, in the order in which they were
 * first met. Rollouts of this pass lie in `artifact`, where they were stored.
 */
export function trainedExamples(learnt: readonly ExampleUses[], artifact: string | null): TrainedExample[] {
  const entries = new Map<string, { example: TrainedExample; times: number }>();
  for (const { uses, stepsAfter } of learnt)
    for (const [example, times] of uses) {
      const { writer, source } = example;
      const id = exampleId(example);
      const place =
        writer === null
          ? source
          : `${writer.artifact ?? stepsAfter}/${writer.role}/${writer.group}/${writer.rollout}`;
      const key = `${id}${place}`;
      const known = entries.get(key);
      if (known === undefined)
        entries.set(key, {
          times,
          example: {
            id,
            times,
            tokens: example.response.length,
            item: example.item,
            prompt: example.prompt,
            answer: example.answer,
            source,
            writer: writer && { ...writer, artifact: writer.artifact ?? artifact, stepsAfter },
          },
        });
      else known.times += times;
    }
  return [...entries.values()].map(({ example, times }) => ({ ...example, times }));
}
