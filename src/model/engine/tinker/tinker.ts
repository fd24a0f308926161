import { join } from "node:path";
import { z } from "zod";
import { readOptions, systemClock, userError } from "../../../foundation/base/index.ts";
import type { EnginePrices } from "../../../foundation/contract/index.ts";
import type { EngineContext, EngineDefinition } from "../definition.ts";
import { addressOf, Connection, type ConnectionOptions } from "./connection.ts";
import type { Findings } from "./probe/findings.ts";
import { KnownServers } from "./probe/known-servers.ts";
import { probeServer } from "./probe/probe-server.ts";
import { type ServerIdentity, TinkerEngine, type TinkerEngineOptions } from "./tinker-engine.ts";

const optionsSchema = z.strictObject({
  model: z.string().min(1),
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  apiKey: z.string().min(1).optional(),
  probe: z.boolean().optional(),
  unreachableMs: z.number().min(0).optional(),
  prices: z
    .strictObject({
      currency: z.string().regex(/^\p{Lu}{3}$/u, 'expected the code of a currency, such as "USD"'),
      read: z.number().min(0),
      sampled: z.number().min(0),
      trained: z.number().min(0),
    })
    .optional(),
});

export interface TinkerOptions {
  /** The server's name for the model. */
  readonly model: string;
  /** Default `$TINKER_BASE_URL`. */
  readonly baseUrl?: string;
  /** Default `$TINKER_API_KEY`. It is not recorded. */
  readonly apiKey?: string;
  /**
   * Whether the server is tried before it is used, with the fast part of the conformance kit; what it gets wrong is then
   * refused. Left out, a server that is not Whetstone's is tried once, and what was found is kept beside the logs; `true`
   * tries any server anew, `false` none.
   */
  readonly probe?: boolean;
  /** How long a server that answered before, and does not now, is waited for, in milliseconds; default 60,000. */
  readonly unreachableMs?: number;
  /**
   * What a million tokens cost there: read (prompts once a request, and sequences that are scored), sampled and trained. The
   * run's cost is then told in that currency too, and a budget can cap it. Prices are not part of what a run is.
   */
  readonly prices?: EnginePrices;
}

/**
 * An engine elsewhere: any server that speaks the Tinker API. The folder of the config's model gives configuration and
 * tokenizer; weights stay on the server, and a checkpoint's folder says where. Throws user errors `invalid-option`, when it is
 * opened `server-missing`, and at its first use `server-unreliable` where the server fails what no run can do without.
 *
 * @example
 * tinker({ baseUrl: "http://127.0.0.1:8000", apiKey: "tml-secret", model: "org/tiny" });
 */
export function tinker(options: TinkerOptions): EngineDefinition {
  return definitionOf(options, false);
}

/** As {@link tinker}, for a server that is only tried: what is saved there goes when the engine is closed. */
export function triedServer(options: TinkerOptions): EngineDefinition {
  return definitionOf(options, true);
}

function definitionOf(options: TinkerOptions, tries: boolean): EngineDefinition {
  const given = readOptions("tinker()", optionsSchema, options);
  const { model, prices } = given;
  return {
    name: "tinker",
    description: { model, ...(given.baseUrl === undefined ? {} : { baseUrl: given.baseUrl }) },
    open: async (context) => {
      context.signal?.throwIfAborted();
      const server = serverOf(given);
      const open = (more: Pick<TinkerEngineOptions, "probe" | "keepsSamplers" | "tries">): TinkerEngine =>
        new TinkerEngine({
          connection: new Connection(server),
          baseUrl: server.baseUrl,
          model,
          clock: systemClock,
          ...(prices === undefined ? {} : { prices }),
          ...more,
        });
      if (given.probe === false) return open({ tries });
      const tried = (assumed: Assumed): TinkerEngine => open({ ...assumed, tries: true });
      return open({ tries, probe: (identity) => found(identity, given.probe === true, tried, context) });
    },
  };
}

type Assumed = Pick<Findings, "keepsSamplers">;

/** What was given, else what the SDK's own variables say. Throws user errors `server-missing` and `invalid-option`. */
function serverOf(given: { [Name in keyof ConnectionOptions]?: ConnectionOptions[Name] | undefined }) {
  const { TINKER_BASE_URL, TINKER_API_KEY } = process.env;
  const [baseUrl, apiKey] = [given.baseUrl ?? TINKER_BASE_URL, given.apiKey ?? TINKER_API_KEY];
  if (baseUrl === undefined || baseUrl === "")
    throw userError(
      "server-missing",
      "tinker(): give baseUrl, or set TINKER_BASE_URL to a server's address.",
    );
  if (!/^[\x20-\x7e]*$/.test(apiKey ?? ""))
    throw userError(
      "invalid-option",
      "tinker(): the key holds a character that no request can carry, such as the end of a line.",
    );
  const server = { baseUrl: addressOf(baseUrl), apiKey: apiKey ?? "" };
  return { ...server, unreachableMs: given.unreachableMs } satisfies ConnectionOptions;
}

async function found(
  server: ServerIdentity,
  anew: boolean,
  open: (assumed: Assumed) => TinkerEngine,
  { logFolder, onProgress, signal }: EngineContext,
): Promise<Findings | undefined> {
  if (server.ours && !anew) return undefined;
  const servers = new KnownServers(join(logFolder, "servers"));
  const known = anew ? undefined : await servers.find(server);
  if (known !== undefined) return known;
  onProgress?.(`trying what the server at ${server.baseUrl} does`, 0, 1);
  const findings = await probeServer(open, server.model, signal);
  await servers.keep(server, findings);
  return findings;
}
