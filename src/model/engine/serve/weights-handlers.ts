import { userError } from "../../../foundation/base/index.ts";
import type { EngineModel } from "../../../foundation/contract/index.ts";
import { type CheckpointFolder, requests, type TinkerPath, tinkerPathOf } from "../tinker/index.ts";
import type { Handler } from "./call.ts";
import type { CheckpointRecord } from "./catalogue.ts";
import { HeldSampler } from "./held-sampler.ts";
import { submitJson } from "./operations.ts";
import { jsonReply, type Reply } from "./reply.ts";
import { addSampler } from "./sampler-handlers.ts";
import type { ServerState } from "./state.ts";
import type { TrainedModel } from "./trained-model.ts";

interface SaveBody {
  readonly path?: string | null | undefined;
  readonly ttl_seconds?: number | null | undefined;
  readonly user_metadata?: Readonly<Record<string, string>> | null | undefined;
  readonly overwrite?: boolean;
}

export const saveWeights: Handler = (state, call) =>
  submitJson(
    state,
    call,
    { name: "save_weights", schema: requests.saveWeights },
    (body) => async (engineModel, model) => {
      const { path } = await saveAs(state, { engineModel, model, folder: "weights", body });
      return jsonReply({ type: "save_weights", path });
    },
  );

/** Under a name a checkpoint; without one a sampler that lives in memory. */
export const saveWeightsForSampler: Handler = (state, call) =>
  submitJson(
    state,
    call,
    { name: "save_weights_for_sampler", schema: requests.saveWeightsForSampler },
    (body) => async (engineModel, model) => {
      if (body.path == null) {
        if (body.sampling_session_seq_id == null)
          throw userError(
            "invalid-option",
            "save_weights_for_sampler: a name, or a sampler's number, is needed.",
          );
        const { sampling_session_seq_id: sequence, kind, keep } = body;
        return ephemeral(state, engineModel, model, { sequence, kind, keep });
      }
      const { path } = await saveAs(state, { engineModel, model, folder: "sampler_weights", body });
      return jsonReply({ type: "save_weights_for_sampler", path });
    },
  );

/** Not served; but it is a call on a model, whose number must be used up like any other's. */
export const saveWeightsExternal: Handler = (state, call) =>
  submitJson(
    state,
    call,
    { name: "save_weights_external", schema: requests.numbered },
    () => () =>
      Promise.reject(
        userError(
          "unsupported",
          "This server keeps no weights outside: save_state, or save_weights_for_sampler, writes them here.",
        ),
      ),
  );

async function ephemeral(
  state: ServerState,
  engineModel: EngineModel,
  model: TrainedModel,
  { sequence, kind, keep }: Ephemeral,
): Promise<Reply> {
  const sampler = await engineModel.snapshot();
  const { samplers, base, sessionId } = model;
  if (kind === "inflight") samplers.replaceInflight(sampler);
  const snapshot =
    kind === "inflight"
      ? undefined
      : keep
        ? new HeldSampler(Promise.resolve(sampler))
        : samplers.addSnapshot(sampler);
  const id = addSampler(state, {
    sessionId,
    sequence,
    fingerprint: `${kind} of ${model.id}`,
    baseName: base.name,
    base,
    modelPath: undefined,
    held: () => snapshot ?? samplers.inflight(),
    release: () => snapshot?.retire(),
  });
  return jsonReply({ type: "save_weights_for_sampler", path: null, sampling_session_id: id });
}

interface Ephemeral {
  readonly sequence: number;
  readonly kind: "snapshot" | "inflight";
  readonly keep: boolean;
}

interface Saving {
  readonly engineModel: EngineModel;
  readonly model: TrainedModel;
  readonly folder: CheckpointFolder;
  readonly body: SaveBody;
}

function saveAs(state: ServerState, { engineModel, model, folder, body }: Saving): Promise<CheckpointRecord> {
  const place: TinkerPath = {
    modelId: model.id,
    folder,
    name: body.path ?? nextName(state, model.id, folder),
  };
  const optimizer = folder === "weights";
  const facts = {
    baseModel: model.base.name,
    lora: loraFacts(engineModel),
    optimizer,
    step: model.step,
    userMetadata: body.user_metadata ?? null,
  };
  const options = { overwrite: body.overwrite ?? false, ttlSeconds: body.ttl_seconds ?? undefined };
  return state.catalogue.save(place, facts, options, (path) => engineModel.save({ path, optimizer }));
}

function loraFacts({ info: { lora } }: EngineModel): CheckpointRecord["lora"] {
  return lora === undefined ? null : { rank: lora.rank, alpha: lora.alpha, modules: [...lora.modules] };
}

/** A client that names nothing gets the first free number. */
function nextName({ catalogue }: ServerState, modelId: string, folder: CheckpointFolder): string {
  const taken = new Set(catalogue.list(modelId).map(({ path }) => path));
  for (let number = 0; ; number++) {
    const name = String(number).padStart(6, "0");
    if (!taken.has(tinkerPathOf({ modelId, folder, name }))) return name;
  }
}
