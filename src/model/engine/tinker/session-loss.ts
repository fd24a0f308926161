import { isWhetstoneError, WhetstoneError } from "../../../foundation/base/index.ts";

/** What a server says of something that it does not hold, or not any more. */
const unknown: readonly unknown[] = [404, 410];
/** What ours says where a call was under way when its session, or the server, ended. */
const ended = new Set(["session-ended", "server-closed"]);

/** Whether a server's answer says that it does not hold what the call was made on. */
export function isForgotten(error: unknown): boolean {
  return isWhetstoneError(error) && (unknown.includes(error.details.status) || ended.has(error.code));
}

/** A server that was started again, or that has ended a session, holds none of its models and samplers. */
export function sessionLost(baseUrl: string, cause: unknown): WhetstoneError {
  return new WhetstoneError({
    code: "session-lost",
    category: "engine",
    message: `The server at ${baseUrl} has forgotten the session and what it held, as after it was started again.`,
    cause,
  });
}

/** Weights that were saved there, and that no session can load again. */
export function checkpointLost(baseUrl: string, path: string, cause: unknown): WhetstoneError {
  return new WhetstoneError({
    code: "checkpoint-missing",
    category: "environment",
    message:
      `The server at ${baseUrl} does not have the weights any more that ${path} stands for: they may have expired there, or it was ` +
      "started on another folder. Start it on the folder that has them, or begin anew in another folder.",
    details: { path },
    cause,
  });
}
