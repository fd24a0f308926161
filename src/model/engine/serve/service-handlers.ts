import { randomUUID } from "node:crypto";
import { userError } from "../../../foundation/base/index.ts";
import { requests } from "../tinker/index.ts";
import { type Handler, readBody } from "./call.ts";
import { asTexts, page } from "./catalogue-handlers.ts";
import { within } from "./futures.ts";
import { jsonReply, notFound, type Reply, refusal } from "./reply.ts";
import { sessionOf } from "./sessions.ts";
import type { ServerState } from "./state.ts";

/** Every flag has a safe default. This one is for SDKs of before 0.38, which otherwise create before they load. */
export const clientConfig: Handler = () => jsonReply({ create_model_via_load_weights: true });
export const dynamicConfig: Handler = () => jsonReply({});
export const health: Handler = () => jsonReply({ status: "ok" });
export const telemetry: Handler = () => jsonReply({ status: "accepted" });

export const capabilities: Handler = ({ bases }) =>
  jsonReply({
    supported_models: Array.from(bases.values(), ({ name, maxPositions }) => ({
      model_name: name,
      max_context_length: maxPositions ?? null,
      trainable: true,
      sampleable: true,
    })),
  });

/** Ours: what the engine says of itself. */
export const engineCapabilities: Handler = ({ capabilities: told, precision }) =>
  jsonReply({ ...told, precisions: [precision] });

export const createSession: Handler = (state, call) => {
  const body = readBody("create_session", requests.createSession, call);
  const { id } = state.sessions.add({
    id: randomUUID(),
    displayName: body.display_name ?? null,
    userMetadata: body.user_metadata ?? null,
    createdAt: state.clock.now(),
  });
  return jsonReply({ type: "create_session", session_id: id });
};

export const heartbeat: Handler = (state, call) => {
  const { session_id: id } = readBody("session_heartbeat", requests.ofSession, call);
  return state.sessions.hear(id) === undefined
    ? noSession(state, id)
    : jsonReply({ type: "session_heartbeat" });
};

export function noSession(state: ServerState, id: string): Reply {
  const end = state.sessions.endOf(id);
  if (end === undefined) return notFound(`There is no session "${id.slice(0, 200)}".`);
  return refusal(userError("session-ended", end), 410);
}

/** The SDK's `ServiceClient.close`: the first end of a session counts, whatever is said of it later. */
export const finishSession: Handler = async (state, { parameters: [id = ""], signal }) => {
  // It is over at once; what it held may take longer to go, such as a model that is still being loaded.
  await within(state.finish(id), state.times.poll, signal);
  return state.sessions.endOf(id) === undefined ? noSession(state, id) : jsonReply({});
};

export const listSessions: Handler = ({ sessions }, { query }) =>
  jsonReply({ sessions: page(sessions.all(), query).part.map(({ id }) => id) });

export const getSession: Handler = ({ sessions }, { parameters: [id = ""] }) => {
  const session = sessions.all().find((one) => one.id === id);
  if (session === undefined) return notFound("There is no such session.");
  return jsonReply({
    training_run_ids: [...session.modelIds],
    sampler_ids: [...session.samplerIds],
    user_metadata: asTexts(session.userMetadata),
    display_name: session.displayName,
  });
};

/** Holds the request until the result is there; a poll that ends without one is answered with 408, and made again. */
export const retrieveFuture: Handler = async (state, call) => {
  const { request_id: id } = readBody("retrieve_future", requests.retrieveFuture, call);
  const session = sessionOf(id);
  state.sessions.hear(session);
  const reply = await state.futures.wait(id, state.times.poll, call.signal);
  if (reply === "pending") {
    state.sessions.hear(session);
    return jsonReply({ type: "try_again", request_id: id, queue_state: "active" }, 408);
  }
  if (reply !== undefined) return reply;
  const known = state.sessions.hear(session) !== undefined || state.sessions.endOf(session) !== undefined;
  return known
    ? refusal(userError("result-gone", `The result of ${id} is not kept any more.`), 410)
    : notFound(`There is no request "${id.slice(0, 200)}".`);
};
