import type { Engine } from "../../src/foundation/contract/index.ts";
import type { Reference } from "../../src/model/engine/conformance/index.ts";

/** In the place of transformers an engine without a fault, whose checkpoints these are. */
export function referenceOf(engine: Engine): Reference {
  return {
    logprobs: async ({ folder, sequences }) => {
      const source = { kind: "checkpoint", path: folder, optimizer: false } as const;
      await using sampler = await engine.loadSampler({ source });
      const { vocabularySize } = await infoOf(engine, folder);
      // One token more, so that what comes after the last is told too.
      const longer = sequences.map((sequence) => Int32Array.of(...sequence, 0));
      const scored = (await sampler.score?.(longer, { top: vocabularySize })) ?? [];
      return scored.map(({ top }) => {
        const all = new Float32Array((top?.tokens.length ?? 0) - vocabularySize);
        top?.tokens.forEach((token, at) => {
          const place = Math.floor(at / vocabularySize) - 1;
          if (place >= 0) all[place * vocabularySize + token] = top.logprobs[at] as number;
        });
        return all;
      });
    },
  };
}

async function infoOf(engine: Engine, path: string) {
  await using model = await engine.createModel({
    source: { kind: "checkpoint", path, optimizer: false },
  });
  return model.info;
}
