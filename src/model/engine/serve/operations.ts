import { randomUUID } from "node:crypto";
import { crc32 } from "node:zlib";
import type { z } from "zod";
import { readOptions, userError } from "../../../foundation/base/index.ts";
import type { EngineModel } from "../../../foundation/contract/index.ts";
import { requests } from "../tinker/index.ts";
import { type Call, parseJson } from "./call.ts";
import { begunReply, notFound, type Reply } from "./reply.ts";
import { sessionOf } from "./sessions.ts";
import type { ServerState } from "./state.ts";
import type { TrainedModel } from "./trained-model.ts";

export interface Operation {
  readonly modelId: string;
  readonly sequence: number;
  /** The same for the same request, and for others another. */
  readonly fingerprint: string;
  readonly work: (engineModel: EngineModel, model: TrainedModel) => Promise<Reply>;
}

/**
 * Takes a numbered call on a model, to be run when all before it have run, and answers with its request id. A number is
 * run once: the same request again has the same id, and another request under it fails.
 */
export function submit(state: ServerState, { modelId, sequence, fingerprint, work }: Operation): Reply {
  const model = findModel(state, modelId);
  if (model === undefined) return noModel(state, modelId);
  const id = `${modelId}:${sequence}`;
  const known = state.futures.fingerprint(id);
  const refused = (code: "missing-call" | "sequence-conflict", message: string): Reply =>
    failed(state, model.sessionId, userError(code, message, { sequence }));
  if (model.queue.tooFar(sequence))
    return refused(
      "missing-call",
      `The calls before call ${sequence} of the model ${modelId} never came: calls are numbered 1, 2, 3 …`,
    );
  if (known === undefined && !model.queue.taken(sequence))
    state.futures.begin(id, model.sessionId, fingerprint, () =>
      model.call(sequence, (engineModel) => work(engineModel, model)),
    );
  else if (known === undefined && model.queue.tooLate(sequence))
    return refused(
      "missing-call",
      `Call ${sequence} of the model ${modelId} came too late, and was not run: it was not waited for any longer. Make it again, as the next call.`,
    );
  else if (known !== undefined && known !== fingerprint)
    return refused(
      "sequence-conflict",
      `Another request was made as call ${sequence} of the model ${modelId}: only one client can train a model.`,
    );
  return begunReply(id);
}

/** A JSON operation. Where the body is wrong but says which call it is, that call fails and its number is used up. */
export function submitJson<S extends z.ZodType<{ readonly model_id: string; readonly seq_id: number }>>(
  state: ServerState,
  call: Call,
  { name, schema }: { readonly name: string; readonly schema: S },
  workOf: (body: z.output<S>) => Operation["work"],
): Reply {
  const json = parseJson(call);
  const fingerprint = `${name} ${crc32(call.body)}`;
  try {
    const body = readOptions(name, schema, json);
    return submit(state, { modelId: body.model_id, sequence: body.seq_id, fingerprint, work: workOf(body) });
  } catch (error) {
    const head = requests.numbered.safeParse(json);
    if (!head.success) throw error;
    return submit(state, {
      modelId: head.data.model_id,
      sequence: head.data.seq_id,
      fingerprint,
      work: () => Promise.reject(error),
    });
  }
}

/** The model, whose client has been heard by this. */
export function findModel(state: ServerState, modelId: string): TrainedModel | undefined {
  state.sessions.hear(sessionOf(modelId));
  return state.models.get(modelId);
}

export function noModel(state: ServerState, modelId: string): Reply {
  const end = state.sessions.endOf(sessionOf(modelId));
  return notFound(
    `There is no model "${modelId.slice(0, 200)}"${
      end === undefined ? "." : `, it went with its session; load it from a checkpoint. ${end}`
    }`,
  );
}

/** An answer that says at once what went wrong, in the place where the client looks for results. */
export function failed(state: ServerState, owner: string, error: unknown): Reply {
  const id = `${owner}:failed:${randomUUID()}`;
  state.futures.begin(id, owner, "", () => Promise.reject(error));
  return begunReply(id);
}
