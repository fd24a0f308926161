import { isWhetstoneError, userError } from "../../../foundation/base/index.ts";
import { checkpointKinds, parseTinkerPath, requests, tinkerPathOf } from "../tinker/index.ts";
import { type Handler, readBody } from "./call.ts";
import type { CheckpointRecord } from "./catalogue.ts";
import { jsonReply, notFound, type Reply, refusal } from "./reply.ts";
import type { ServerState } from "./state.ts";

const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** The SDK refuses an answer, a list of runs too, in which one value is none. */
export function asTexts(metadata: Run["userMetadata"]): object | null {
  if (metadata === null) return null;
  const told = Object.entries(metadata).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return Object.fromEntries(told);
}

/** A checkpoint in the API's words. */
function toldCheckpoint({ path, bytes, createdAt, expiresAt, userMetadata }: CheckpointRecord): object {
  const { folder, name } = parseTinkerPath(path);
  return {
    checkpoint_id: `${folder}/${name}`,
    checkpoint_type: checkpointKinds[folder],
    time: timeOf(createdAt),
    tinker_path: path,
    size_bytes: bytes,
    public: false,
    user_metadata: userMetadata,
    expires_at: expiresAt === null ? null : timeOf(expiresAt),
  };
}

interface Run {
  readonly id: string;
  readonly baseModel: string;
  readonly loraRank: number | null;
  readonly lastRequestAt: number;
  readonly userMetadata: Readonly<Record<string, unknown>> | null;
  readonly checkpoints: readonly CheckpointRecord[];
}

/** Models that are trained now, and those of which a checkpoint is left. One that is still being loaded is none yet. */
function runs({ models, catalogue }: ServerState): readonly Run[] {
  const records = catalogue.list();
  const byModel = Map.groupBy(records, ({ path }) => parseTinkerPath(path).modelId);
  const living = Array.from(models.values(), (model): Run | undefined => {
    const { id, base, loaded, lastRequestAt, userMetadata } = model;
    if (loaded === undefined) return undefined;
    const loraRank = loaded.lora?.rank ?? null;
    const checkpoints = byModel.get(id) ?? [];
    return { id, baseModel: base.name, loraRank, lastRequestAt, userMetadata, checkpoints };
  });
  const ended = [...byModel]
    .filter(([id]) => !models.has(id))
    .map(([id, checkpoints]): Run => {
      const last = checkpoints.at(-1) as CheckpointRecord;
      return {
        id,
        baseModel: last.baseModel,
        loraRank: last.lora?.rank ?? null,
        lastRequestAt: last.createdAt,
        userMetadata: null,
        checkpoints,
      };
    });
  return [...living.filter((run) => run !== undefined), ...ended].sort(
    (a, b) => b.lastRequestAt - a.lastRequestAt,
  );
}

function toldRun({ id, baseModel, loraRank, lastRequestAt, userMetadata, checkpoints }: Run): object {
  const last = (folder: string): object | null => {
    const record = checkpoints.findLast(({ path }) => parseTinkerPath(path).folder === folder);
    return record === undefined ? null : toldCheckpoint(record);
  };
  return {
    training_run_id: id,
    base_model: baseModel,
    model_owner: "local",
    is_lora: loraRank !== null,
    corrupted: false,
    lora_rank: loraRank,
    last_request_time: timeOf(lastRequestAt),
    last_checkpoint: last("weights"),
    last_sampler_checkpoint: last("sampler_weights"),
    user_metadata: asTexts(userMetadata),
  };
}

/** A page of a list, as `limit` and `offset` of the query cut it. Throws a user error `invalid-option`. */
export function page<T>(all: readonly T[], query: URLSearchParams) {
  const number = (name: string, otherwise: number): number => {
    const given = query.get(name);
    if (given === null) return otherwise;
    if (/^\d{1,15}$/.test(given)) return Number(given);
    throw userError(
      "invalid-option",
      `"${name}" must be a whole number from 0 up, not "${given.slice(0, 40)}".`,
    );
  };
  const [offset, limit] = [number("offset", 0), number("limit", 100)];
  return {
    part: all.slice(offset, offset + limit),
    cursor: { offset, limit, total_count: all.length },
  };
}

export const listRuns: Handler = (state, { query }) => {
  const { part, cursor } = page(runs(state), query);
  return jsonReply({ training_runs: part.map(toldRun), cursor });
};

export const getRun: Handler = (state, { parameters: [id] }) => {
  const run = runs(state).find((one) => one.id === id);
  return run === undefined ? notFound("There is no such training run.") : jsonReply(toldRun(run));
};

export const listCheckpoints: Handler = ({ catalogue }, { query }) => {
  const { part, cursor } = page(catalogue.list().toReversed(), query);
  return jsonReply({ checkpoints: part.map(toldCheckpoint), cursor });
};

export const listRunCheckpoints: Handler = ({ catalogue }, { parameters: [id] }) =>
  jsonReply({ checkpoints: catalogue.list(id).map(toldCheckpoint) });

/** A checkpoint that is named by the parts of its path. */
async function withCheckpoint(
  [modelId = "", folder = "", name = ""]: readonly string[],
  work: (path: string) => Promise<void>,
): Promise<Reply> {
  const {
    modelId: model,
    folder: kind,
    name: word,
  } = parseTinkerPath(`tinker://${modelId}/${folder}/${name}`);
  try {
    await work(tinkerPathOf({ modelId: model, folder: kind, name: word }));
    return jsonReply({});
  } catch (error) {
    return refusal(error, isWhetstoneError(error) && error.category === "user" ? 404 : 400);
  }
}

export const deleteCheckpoint: Handler = ({ catalogue }, { parameters }) =>
  withCheckpoint(parameters, (path) => catalogue.delete(path));

export const setTtl: Handler = (state, call) => {
  const { ttl_seconds: ttl } = readBody("set_checkpoint_ttl", requests.setTtl, call);
  return withCheckpoint(call.parameters, (path) => state.catalogue.setTtl(path, ttl ?? undefined));
};
