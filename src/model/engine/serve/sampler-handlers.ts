import { crc32 } from "node:zlib";
import { userError } from "../../../foundation/base/index.ts";
import type { ModelSource } from "../../../foundation/contract/index.ts";
import { requests } from "../tinker/index.ts";
import { type BaseModel, baseModel } from "./base-model.ts";
import { type Call, type Handler, readBody } from "./call.ts";
import { findBase } from "./model-handlers.ts";
import { begunReply, jsonReply, notFound, protobufReply, type Reply, refusal } from "./reply.ts";
import { drawSamples } from "./sampling.ts";
import type { SamplingSession } from "./sampling-session.ts";
import { noSession } from "./service-handlers.ts";
import { sessionOf } from "./sessions.ts";
import type { ServerState } from "./state.ts";

interface NewSampler extends Omit<SamplingSession, "id"> {
  readonly sessionId: string;
  readonly sequence: number;
}

/**
 * The sampler's id; that of the one before, where it is asked for again. What is not taken is released. Throws user errors
 * `sequence-conflict`, and `session-ended` where the session went while it was made.
 */
export function addSampler(state: ServerState, { sessionId, sequence, ...made }: NewSampler): string {
  const id = `${sessionId}:sample:${sequence}`;
  const session = state.sessions.hear(sessionId);
  const known = state.samplers.get(id);
  if (session !== undefined && known === undefined) {
    state.samplers.set(id, { id, ...made });
    session.samplerIds.add(id);
    return id;
  }
  made.release();
  if (session === undefined) throw state.sessions.ended(sessionId);
  if (known?.fingerprint !== made.fingerprint)
    throw userError("sequence-conflict", `The sampler ${id} was made of something else already.`);
  return id;
}

/** Of a base model or a checkpoint. It is loaded meanwhile: who draws waits for it. */
export const createSamplingSession: Handler = (state, call) => {
  const body = readBody("create_sampling_session", requests.createSamplingSession, call);
  const { session_id: sessionId, sampling_session_seq_id: sequence, model_path: path } = body;
  if (state.sessions.hear(sessionId) === undefined) return noSession(state, sessionId);
  let found: Source;
  try {
    found = path == null ? ofBase(state, body.base_model ?? "") : ofCheckpoint(state, path);
  } catch (error) {
    return refusal(error, 404);
  }
  const { source, base, baseName } = found;
  const key = source.path;
  // Weights that a dead worker lost are read again.
  const reading = path == null ? undefined : state.catalogue.hold(path);
  state.shared.acquire(key, async () => state.engine.loadSampler({ source, ...(await state.loading(base)) }));
  const id = addSampler(state, {
    sessionId,
    sequence,
    fingerprint: key,
    baseName,
    base,
    modelPath: path ?? undefined,
    held: () => state.shared.held(key),
    release: () => {
      state.shared.release(key);
      reading?.[Symbol.dispose]();
    },
  });
  return jsonReply({ type: "create_sampling_session", sampling_session_id: id });
};

interface Source {
  readonly source: ModelSource;
  readonly base: BaseModel | undefined;
  readonly baseName: string;
}

function ofBase(state: ServerState, name: string): Source {
  const base = findBase(state, name);
  return { source: base.source(), base, baseName: name };
}

function ofCheckpoint({ catalogue, bases }: ServerState, path: string): Source {
  const { record, folder } = catalogue.find(path);
  const source: ModelSource = { kind: "checkpoint", path: folder, optimizer: false };
  const { baseModel: baseName } = record;
  return { source, base: bases.get(baseName) ?? baseModel(baseName, folder), baseName };
}

export const getSampler: Handler = ({ samplers, sessions }, { parameters: [id = ""] }) => {
  sessions.hear(sessionOf(id));
  const sampler = samplers.get(id);
  if (sampler === undefined) return notFound("There is no such sampler.");
  const { baseName, modelPath } = sampler;
  return jsonReply({ sampler_id: id, base_model: baseName, model_path: modelPath ?? null });
};

/** Ours: nobody will draw from it any more. */
export const releaseSampler: Handler = (state, call) => {
  const { sampling_session_id: id } = readBody("release_sampler", requests.ofSampler, call);
  state.sessions.hear(sessionOf(id))?.samplerIds.delete(id);
  state.samplers.get(id)?.release();
  state.samplers.delete(id);
  return jsonReply({});
};

/** Draws are independent of each other and run in no order. The same request again has the same id. */
export const sample: Handler = (state, call) => {
  const body = readBody("sample", requests.sample, call);
  const id = drawId(body.sampling_session_id, body.seq_id);
  const sequences = Array.from({ length: body.num_samples }, (_, index) => `${id}:${index}`);
  return beginDraw(state, call, {
    samplerId: body.sampling_session_id,
    sequence: body.seq_id,
    kind: "sample",
    told: { type: "sample", sample_sequence_ids: sequences },
    work: (sampler) => drawSamples(state, sampler, body),
  });
};

const drawId = (samplerId: string, sequence: Draw["sequence"]): string => `${samplerId}:${sequence}`;

interface Draw {
  readonly samplerId: string;
  /** A text where a double does not hold it. */
  readonly sequence: number | string;
  /** What is asked for: one number is not for two of them. */
  readonly kind: string;
  /** Said with the id. */
  readonly told?: object;
  /** What is answered, in protobuf. */
  readonly work: (sampler: SamplingSession) => Promise<Uint8Array>;
}

/** Begins what a sampler is asked for, once for each of its numbers, and answers with the id of the result. */
export function beginDraw(
  state: ServerState,
  { body }: Pick<Call, "body">,
  { samplerId, sequence, kind, told = {}, work }: Draw,
): Reply {
  const session = sessionOf(samplerId);
  state.sessions.hear(session);
  const sampler = state.samplers.get(samplerId);
  if (sampler === undefined)
    return notFound(`There is no sampler "${samplerId.slice(0, 300)}"; it may have been freed.`);
  const id = drawId(samplerId, sequence);
  const fingerprint = `${kind} ${body.length}/${crc32(body)}`;
  const known = state.futures.fingerprint(id);
  if (known !== undefined && known !== fingerprint)
    return refusal(
      userError(
        "sequence-conflict",
        `Another request was made as draw ${sequence} of the sampler ${samplerId}.`,
      ),
    );
  if (known === undefined)
    state.futures.begin(id, session, fingerprint, async () => protobufReply(await work(sampler)));
  return begunReply(id, told);
}
