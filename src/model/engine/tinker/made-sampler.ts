import { randomUUID } from "node:crypto";
import { textIn } from "./connection.ts";
import { createByLoading } from "./create-by-loading.ts";
import { checkpointOf } from "./paths.ts";
import type { Pointer } from "./pointer.ts";
import type { RemoteSession } from "./remote-session.ts";
import type { ServerTraits } from "./server-traits.ts";

/** What is sampled from, and how it is given back. */
export interface MadeSampler {
  readonly id: string;
  readonly release: () => Promise<void>;
}

/** What a checkpoint's folder points to, or the base model. Throws what the server says. */
export async function samplerOf(
  session: RemoteSession,
  { ours, keepsSamplers }: ServerTraits,
  pointer: Pointer | undefined,
): Promise<MadeSampler> {
  if (pointer !== undefined && !ours && !keepsSamplers) return await keptSampler(session, pointer.path);
  const id = await session.sampler(
    pointer === undefined
      ? { base_model: session.modelName }
      : { model_path: pointer.samplerPath ?? pointer.path },
  );
  return {
    id,
    release: async () => {
      if (ours) await session.release(id);
    },
  };
}

/**
 * A checkpoint to sample from, in a model of its own that nobody trains. For servers with one place for a model's weights, which
 * its samplers share: there what is trained changes what is sampled, and whoever samples an earlier checkpoint puts it in the
 * place of what was learnt since (SkyRL's JAX backend). Throws what the server says.
 */
export async function keptSampler(session: RemoteSession, path: string): Promise<MadeSampler> {
  const { connection } = session;
  const model = await createByLoading(session, path, false);
  const release = (): Promise<unknown> =>
    connection.operation("unload_model", { model_id: model.id }, { patient: false });
  try {
    const name = `kept-${randomUUID().slice(0, 8)}`;
    const body = { model_id: model.id, seq_id: model.sent + 1, path: name };
    const saved = textIn(await connection.operation("save_weights_for_sampler", body), "path");
    return {
      id: await session.sampler({ model_path: saved }),
      release: async () => {
        await connection.remove(checkpointOf(saved)).catch(() => undefined);
        if (!session.lost) await release();
      },
    };
  } catch (error) {
    await release().catch(() => undefined);
    throw error;
  }
}
