import { setImmediate as nextTurn } from "node:timers/promises";
import type { EngineModel } from "../../src/foundation/contract/index.ts";
import type { Fault } from "./fault.ts";
import { faultyEngine, type Planting } from "./faulty-engine.ts";
import { inNetwork, withAnothers, without, withResults } from "./plantings.ts";

const crowd = 16;

function crowdedBy(more: number): Planting {
  let waiting = 0;
  return {
    sampler: (inner) => ({
      logprobs: async (sequences) => {
        waiting += 1;
        await nextTurn();
        const crowded = waiting > crowd;
        const result = await inner.logprobs(sequences);
        waiting -= 1;
        return crowded ? result.map((values) => values.map((logprob) => logprob + more)) : result;
      },
    }),
  };
}

/** Faults among models and clients. */
export const companyFaults: readonly Fault[] = [
  {
    fault: "models share their gradient",
    caughtBy: "models that take turns do not touch each other",
    planting: {
      engine: (inner) => {
        const models: EngineModel[] = [];
        return {
          createModel: async (options) => {
            const model = await inner.createModel(options);
            models.push(model);
            const touched: Pick<EngineModel, "forwardBackward"> = {
              forwardBackward: async (data, how) => {
                const result = await model.forwardBackward(data, how);
                const other = models.findLast((one) => one !== model);
                await other?.forwardBackward(data, without(how, "sequence")).catch(() => undefined);
                return result;
              },
            };
            return Object.assign(Object.create(model) as EngineModel, bound(model), touched);
          },
        };
      },
    },
  },
  {
    fault: "answers to a crowd are mixed up",
    caughtBy: "64 clients at once get what each would get alone",
    planting: crowdedBy(0.1),
    inBf16: crowdedBy(1),
  },
  {
    fault: "one client in twenty gets another's samples",
    caughtBy: "64 clients at once get what each would get alone",
    planting: inNetwork(withAnothers(21)),
    inBf16: withAnothers(5),
  },
  {
    fault: "sums are taken in the order of arrival",
    caughtBy: "the same calls give the same bits, whatever runs beside them",
    planting: (() => {
      let calls = 0;
      return withResults((result) => {
        calls += 1;
        return { ...result, lossSum: result.lossSum * (1 + calls * Number.EPSILON) };
      });
    })(),
  },
  {
    fault: "weights are laid out otherwise once they were sampled from",
    caughtBy: "a sampler's answers have the same bits, whichever it gave before",
    planting: {
      sampler: (inner) => {
        let sampled = false;
        return {
          sample: (requests) => {
            sampled = true;
            return inner.sample(requests);
          },
          logprobs: async (sequences) => {
            const scored = await inner.logprobs(sequences);
            return sampled ? scored.map((one) => one.map((value) => value * (1 + 2 ** -23))) : scored;
          },
        };
      },
    },
  },
  {
    fault: "what was read before is sampled from",
    caughtBy: "a sampler's answers have the same bits, whichever it gave before",
    planting: {
      sampler: (inner) => {
        let reads = 0;
        return {
          logprobs: (sequences) => {
            reads += 1;
            return inner.logprobs(sequences);
          },
          sample: async (requests) =>
            (await inner.sample(requests)).map((samples) =>
              samples.map((one) => ({
                ...one,
                logprobs: one.logprobs.map((value) => value * (1 + reads * 2 ** -23)),
              })),
            ),
        };
      },
    },
  },
  {
    fault: "what was sampled before is kept",
    caughtBy: "a sampler's answers have the same bits, whichever it gave before",
    planting: {
      sampler: (inner) => {
        let calls = 0;
        return {
          sample: async (requests) => {
            const drawn = await inner.sample(requests);
            calls += 1;
            return drawn.map((samples) =>
              samples.map((one) => ({
                ...one,
                logprobs: one.logprobs.map((value) => value * (1 + (calls - 1) * 2 ** -23)),
              })),
            );
          },
        };
      },
    },
  },
  {
    fault: "an engine begins with numbers of its own",
    caughtBy: "the same calls give the same bits in another engine",
    planting: (() => {
      let opened = 0;
      return {
        engine: (inner) => {
          opened += 1;
          const drift = 1 + opened * 1e-9;
          const drifting = withResults((result) => ({ ...result, lossSum: result.lossSum * drift }));
          return { createModel: faultyEngine(inner, drifting).createModel };
        },
      };
    })(),
  },
  {
    fault: "a row is summed otherwise beside others",
    caughtBy: "a sequence has the same bits whatever else is in its call",
    planting: {
      sampler: (inner) => ({
        logprobs: async (sequences) => {
          const scored = await inner.logprobs(sequences);
          return scored.length > 1 ? scored.map((one) => one.map((value) => value * (1 + 2 ** -23))) : scored;
        },
      }),
    },
  },
];

/** A model's own methods, which a class keeps on its prototype. */
function bound(model: EngineModel): Partial<EngineModel> {
  return {
    forward: model.forward.bind(model),
    optimStep: model.optimStep.bind(model),
    save: model.save.bind(model),
    snapshot: model.snapshot.bind(model),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}
