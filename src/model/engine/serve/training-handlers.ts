import { readOptions, userError } from "../../../foundation/base/index.ts";
import type { Datum, Loss, OptimizerStep } from "../../../foundation/contract/index.ts";
import {
  datumOf,
  lossOf,
  passFingerprint,
  readPass,
  readPassHead,
  requests,
  type WirePass,
  writePassOutput,
} from "../tinker/index.ts";
import { type Call, type Handler, tooLarge } from "./call.ts";
import { type Operation, submit, submitJson } from "./operations.ts";
import { jsonReply, protobufReply, type Reply, refusal } from "./reply.ts";
import type { ServerState } from "./state.ts";

/** `forward` and `forward_backward`. */
export const forwardBackward: Handler = (state, call) =>
  submitProtobuf(state, call, "forward_backward", (body) => {
    const pass = readPass(body);
    return { pass, fingerprint: passFingerprint(pass), work: passWork(pass) };
  });

/** A call on a model in protobuf, that its body is read as. */
export interface ReadCall extends Pick<Operation, "fingerprint" | "work"> {
  readonly pass: WirePass;
}

/** A body that is broken or too large still uses its number up, where it tells it. */
export function submitProtobuf(
  state: ServerState,
  { body, contentType, cutOff }: Call,
  name: string,
  read: (body: Buffer) => ReadCall,
): Reply {
  if (!isProtobuf(contentType)) return noProtobuf(name);
  let made: ReadCall;
  try {
    if (cutOff) throw tooLarge();
    made = read(body);
  } catch (error) {
    const head = readPassHead(body);
    if (head === undefined || !(head.sequence >= 1)) return refusal(error, cutOff ? 413 : 400);
    return submit(state, { ...head, fingerprint: "unreadable", work: () => Promise.reject(error) });
  }
  const { pass, fingerprint, work } = made;
  const { modelId, sequence } = pass;
  if (!(sequence >= 1)) return refusal(userError("invalid-option", `${name}: there is no call ${sequence}.`));
  return submit(state, { modelId, sequence, fingerprint, work });
}

export const isProtobuf = (contentType: string): boolean => contentType.startsWith("application/x-protobuf");

export const noProtobuf = (name: string): Reply =>
  refusal(userError("unsupported-type", `${name} takes application/x-protobuf (SDK 0.25 and newer).`), 415);

/** The data of a pass as engines take them. Throws user errors about what is wrong with them. */
export function dataOf(pass: WirePass): { readonly data: readonly Datum[]; readonly loss: Loss } {
  const loss = lossOf(pass.lossName, pass.lossConfig);
  const data = pass.data.map((datum, index) => datumOf(datum, index, loss));
  if (data.length === 0) throw userError("missing-input", "A call has at least one datum.");
  return { data, loss };
}

/** Read when its turn comes, so that what is wrong with it fails this call and no other. */
const passWork =
  (pass: WirePass): Operation["work"] =>
  async (model): Promise<Reply> => {
    const { data, loss } = dataOf(pass);
    const options = { loss, logprobs: "all" } as const;
    const { lossSum, positions, logprobs } = await (pass.forwardOnly
      ? model.forward(data, options)
      : model.forwardBackward(data, options));
    const metrics = { "loss:sum": lossSum, "positions:sum": positions };
    return protobufReply(writePassOutput({ metrics, logprobs }));
  };

export const optimStep: Handler = (state, call) =>
  submitJson(state, call, { name: "optim_step", schema: requests.optimStep }, (body) => {
    const step = stepOf(body);
    return async (engineModel, model) => {
      const result = await engineModel.optimStep(step);
      model.step = result.step;
      return jsonReply({ metrics: { "grad_norm:mean": result.gradientNorm, "step:max": result.step } });
    };
  });

/** Throws user errors `invalid-option` and `unknown-optimizer`. */
function stepOf({
  adam_params: adam,
  optimizer_params: other,
}: typeof requests.optimStep._output): OptimizerStep {
  if (adam !== undefined && other === undefined)
    return {
      learningRate: adam.learning_rate,
      beta1: adam.beta1,
      beta2: adam.beta2,
      epsilon: adam.eps,
      weightDecay: adam.weight_decay,
      gradientClipNorm: adam.grad_clip_norm,
    };
  if (other === undefined || adam !== undefined)
    throw userError("invalid-option", 'optim_step: one of "adam_params" and "optimizer_params" is needed.');
  if (other.type !== "sgd")
    throw userError("unknown-optimizer", `There is no optimizer "${other.type}"; this server has adamw.`);
  const sgd = readOptions("optim_step", requests.sgdParams, other);
  return {
    optimizer: "sgd",
    learningRate: sgd.learning_rate,
    weightDecay: sgd.weight_decay,
    gradientClipNorm: sgd.grad_clip_norm,
  };
}
