import { userError } from "../../../foundation/base/index.ts";
import type { Handler } from "./call.ts";
import { refusal } from "./reply.ts";

const outside = "This server keeps no weights outside: checkpoints are folders in its --state.";
const free = "This server charges nothing, and counts nothing to charge for.";
const onePlace =
  "This server has one owner and no projects: a checkpoint is loaded by its own path, by whoever may use the server.";
const nobody = "This server has one owner: there is nobody to publish a checkpoint for.";

/** What the API has for a service with accounts, and why it is not here, by the keys of the table of routes. */
const reasons: Readonly<Record<string, string>> = {
  "POST training_runs/:/checkpoints/:/:/publish": nobody,
  "DELETE training_runs/:/checkpoints/:/:/publish": nobody,
  "GET training_runs/:/checkpoints/:/:/archive": outside,
  "GET training_runs/:/checkpoints/:/:/external_weights_urls": outside,
  "POST copy_weights": onePlace,
  "PUT sessions/:/project": onePlace,
  "GET billing/usage/events": free,
  "GET billing/usage/checkpoints/current": free,
  "GET audit": "This server keeps no log of who did what.",
  "POST sessions/search": "This server does not search its sessions: GET sessions lists them.",
  "GET sessions/:/trace_export": "This server keeps no traces of sessions.",
  "POST create_custom_loss":
    "This server has the losses of its engine; forward_backward_custom computes another one in the client.",
};

export const unserved: Readonly<Record<string, Handler>> = Object.fromEntries(
  Object.entries(reasons).map(([route, reason]) => [route, () => refusal(userError("unsupported", reason))]),
);
