import { isWhetstoneError } from "../../../foundation/base/index.ts";
import { textIn } from "./connection.ts";
import type { RemoteSession } from "./remote-session.ts";

interface LoadedModel {
  readonly id: string;
  /** Numbers that the server has taken for it. */
  readonly sent: number;
}

/** What servers of before SDK 0.38 say of a load without a model to load into. */
const unread: readonly unknown[] = [400, 422];

/**
 * A model from a checkpoint of the server. Where that is no request of its own (SDK 0.25, SkyRL) a model of the checkpoint's
 * shape is made, and its first call loads. Throws what the server says.
 */
export async function createByLoading(
  session: RemoteSession,
  path: string,
  optimizer: boolean,
): Promise<LoadedModel> {
  const { connection } = session;
  const ids = () => ({ session_id: session.id, model_seq_id: session.nextModel() });
  try {
    const body = { ...ids(), path, optimizer, type: "load_weights" };
    return { id: textIn(await connection.operation("load_weights", body), "model_id"), sent: 0 };
  } catch (error) {
    if (!isWhetstoneError(error) || error.code !== "server-refused") throw error;
    if (!unread.includes(error.details.status)) throw error;
  }
  const { base_model, lora_rank, train_attn, train_mlp, train_unembed } = await connection.post(
    "weights_info",
    { tinker_path: path },
  );
  const trained = Object.entries({ train_attn, train_mlp, train_unembed }).filter(
    ([, value]) => typeof value === "boolean",
  );
  const made = await connection.operation("create_model", {
    ...ids(),
    base_model,
    lora_config: { rank: lora_rank ?? 0, ...Object.fromEntries(trained) },
  });
  const id = textIn(made, "model_id");
  const body = { model_id: id, seq_id: 1, path, optimizer, type: "load_weights" };
  await connection.operation("load_weights", body);
  return { id, sent: 1 };
}
