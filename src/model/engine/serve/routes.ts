import type { Handler } from "./call.ts";
import * as catalogue from "./catalogue-handlers.ts";
import * as extensions from "./extension-handlers.ts";
import * as models from "./model-handlers.ts";
import * as samplers from "./sampler-handlers.ts";
import * as service from "./service-handlers.ts";
import * as training from "./training-handlers.ts";
import { unserved } from "./unserved.ts";
import * as weights from "./weights-handlers.ts";

/** `:` stands for one part of the path, which may hold anything but a slash. */
const table: Readonly<Record<string, Handler>> = {
  "POST client/config": service.clientConfig,
  "POST client/dynamic_config": service.dynamicConfig,
  "GET healthz": service.health,
  "POST telemetry": service.telemetry,
  "GET get_server_capabilities": service.capabilities,
  "POST create_session": service.createSession,
  "POST session_heartbeat": service.heartbeat,
  "GET sessions": service.listSessions,
  "GET sessions/:": service.getSession,
  "POST sessions/:/finish": service.finishSession,
  "POST create_model": models.createModel,
  "POST load_weights": models.loadWeights,
  "POST unload_model": models.unloadModel,
  "POST get_info": models.getInfo,
  "POST weights_info": models.weightsInfo,
  "POST forward_backward": training.forwardBackward,
  "POST optim_step": training.optimStep,
  "POST save_weights": weights.saveWeights,
  "POST save_weights_for_sampler": weights.saveWeightsForSampler,
  "POST save_weights_external": weights.saveWeightsExternal,
  "POST create_sampling_session": samplers.createSamplingSession,
  "GET samplers/:": samplers.getSampler,
  "POST asample": samplers.sample,
  "POST retrieve_future": service.retrieveFuture,
  "GET whetstone/capabilities": service.engineCapabilities,
  "POST whetstone/release_sampler": samplers.releaseSampler,
  "POST whetstone/embed": extensions.embed,
  "POST whetstone/certainty": extensions.certainty,
  "POST whetstone/gradient_features": extensions.gradientFeatures,
  "GET training_runs": catalogue.listRuns,
  "GET training_runs/:": catalogue.getRun,
  "GET checkpoints": catalogue.listCheckpoints,
  "GET training_runs/:/checkpoints": catalogue.listRunCheckpoints,
  "DELETE training_runs/:/checkpoints/:/:": catalogue.deleteCheckpoint,
  "PUT training_runs/:/checkpoints/:/:/ttl": catalogue.setTtl,
  ...unserved,
};

const routes = Object.entries(table).map(([key, handler]) => {
  const [method = "", path = ""] = key.split(" ");
  return { method, parts: path.split("/"), handler };
});
const prefix = "/api/v1/";

export interface Route {
  readonly handler: Handler;
  readonly parameters: readonly string[];
}

/** What answers a request; undefined where nothing does. */
export function routeOf(method: string, path: string): Route | undefined {
  if (!path.startsWith(prefix)) return undefined;
  const exact = table[`${method} ${path.slice(prefix.length)}`];
  if (exact !== undefined) return { handler: exact, parameters: [] };
  const parts = path.slice(prefix.length).split("/");
  for (const { method: wanted, parts: pattern, handler } of routes) {
    if (wanted !== method || pattern.length !== parts.length) continue;
    if (!pattern.every((part, index) => part === ":" || part === parts[index])) continue;
    const parameters = parts.filter((_, index) => pattern[index] === ":").map(decoded);
    return { handler, parameters };
  }
  return undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
