import type { Example, Source } from "../../../foundation/contract/index.ts";
import { nothing } from "../../../gro/generate/nothing.ts";
import { methodOf, runMethod } from "../../../gro/method/index.ts";
import { gro, type Method } from "../../../gro/method.ts";
import { everything } from "../../../gro/reward/index.ts";
import { exampleOfDemonstration, isReal } from "../../../gro/rollout/index.ts";
import { type SupervisedUpdate, supervised, type UpdatePart } from "../../../gro/update/index.ts";
import { acquire, demonstrations } from "../../../lifecycle/acquire/index.ts";
import { computeOfAll, ofTraining } from "../compute.ts";
import { type RoundContext, signalOf, streamOf } from "../context.ts";
import { measureValidation } from "../evaluate.ts";
import { preparationOf } from "../preparation.ts";
import { type Arm, type ArmRequest, armMethodContext } from "./arm.ts";

/** The base, trained further on what no model wrote, for as long as the run's compute lasts. */
export async function supervisedOnly(context: RoundContext, request: ArmRequest): Promise<Arm> {
  const { point, base, trained, progress } = request;
  if (trained.every(({ rollouts, realShare }) => rollouts === 0 && realShare === 1))
    return { none: "until then the run itself learnt from data that no model wrote, and from nothing else" };
  const examples = await externalExamples(context, request);
  if (examples.length === 0) return { none: "the run has no data that no model wrote" };
  const { update, steps } = courseOf(context, request, examples);
  const method = methodFor(context, update);
  const lead = context.definition.optimize.lead;
  const { checkpoints, tally } = await runMethod(
    method,
    armMethodContext(context, request, {
      round: point.round,
      items: [],
      base: examples,
      older: [],
      current: base.checkpoints,
    }),
  );
  return {
    measured: await measureValidation(context, { ...base, checkpoints }, progress),
    compute: computeOfAll([tally]),
    text: `${steps.toLocaleString("en-US")} ${steps === 1 ? "step" : "steps"} from the base on ${examples.length.toLocaleString("en-US")} examples that no model wrote`,
    made: [checkpoints[lead] ?? ""],
  };
}

/** What the rounds' sources demonstrate; where none does, what the preparation learns from. */
async function externalExamples(
  context: RoundContext,
  { fromScratch }: Pick<ArmRequest, "fromScratch">,
): Promise<Example[]> {
  const { definition, tokenizer } = context;
  const { task } = definition;
  const own = definition.acquire.filter(({ mostDemonstrations = 0 }) => mostDemonstrations > 0);
  const prepared = preparationOf(definition, fromScratch);
  const sources: readonly Source[] =
    own.length > 0 || prepared === null ? own : [prepared.on ?? demonstrations()];
  const { demonstrations: drawn } = await acquire(sources, {
    task,
    round: 1,
    random: streamOf(context, 0, "baseline-supervised"),
    trainedTo: task.difficulty.base[1],
    frontier: null,
    ...signalOf(context),
  });
  return drawn.map((one) => exampleOfDemonstration(tokenizer, one)).filter(isReal);
}

/** Steps as the run makes its own, and as many as its compute pays; in groups of so many examples of their mean length. */
function courseOf(
  context: RoundContext,
  { point, rounds, fromScratch }: ArmRequest,
  examples: readonly Example[],
): { readonly update: UpdatePart; readonly steps: number } {
  const { definition } = context;
  const own = rounds
    .flatMap(({ after: { round } }) => methodOf(definition.optimize, round).passes)
    .map(({ update }) => update)
    .find(isSupervised);
  const like = own ?? preparationOf(definition, fromScratch) ?? supervised({ batch: 8, learningRate: 1e-5 });
  const { batch, learningRate, gradientClipNorm, optimizerState } = like;
  const positions = examples.reduce((sum, one) => sum + one.context.length + one.response.length - 1, 0);
  const ofStep = (ofTraining * batch * positions) / examples.length;
  const steps = Math.max(1, Math.round(point.compute / ofStep));
  const update = supervised({
    steps,
    batch,
    learningRate,
    gradientClipNorm,
    optimizerState: optimizerState === "fresh" ? "fresh" : "continued",
    replay: { newest: 0 },
  });
  return { update, steps };
}

function isSupervised(update: UpdatePart): update is SupervisedUpdate {
  const { learnsBy, batch } = update;
  return learnsBy === "imitation" && batch !== undefined && "learningRate" in update;
}

function methodFor({ definition }: RoundContext, update: UpdatePart): Method {
  const { lead } = definition.optimize;
  const method = gro({ name: "supervised", generate: nothing(), reward: everything(), update });
  return {
    ...method,
    passes: method.passes.map((pass) => ({ ...pass, roles: [lead] })),
    roles: [lead],
    deliver: [lead],
    lead,
  };
}
