import { once } from "node:events";
import { type AddressInfo, createServer, isIP, type Server } from "node:net";
import { z } from "zod";
import {
  type Clock,
  readOptions,
  systemClock,
  userError,
  WhetstoneError,
} from "../../../foundation/base/index.ts";
import type { Engine, Precision } from "../../../foundation/contract/index.ts";
import { baseModel } from "./base-model.ts";
import { Catalogue } from "./catalogue.ts";
import { httpServer } from "./http.ts";
import { ServerState, type ServerTimes } from "./state.ts";
import { SteadyClock } from "./steady-clock.ts";

export interface ServeOptions {
  /** Stays the caller's: closing the server does not close it. */
  readonly engine: Engine;
  /** By the name that clients ask for: a Hugging Face folder, whose weights may be missing. */
  readonly models: Readonly<Record<string, string>>;
  /** Where checkpoints are kept; no other server may use it. */
  readonly stateFolder: string;
  /** What clients must send. May be left out on the loopback interface only. */
  readonly key?: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any that is free. */
  readonly port?: number;
  /** Default fp32. */
  readonly precision?: Precision;
  /** The largest request, in bytes; default 64 MB. */
  readonly maxBodyBytes?: number;
  readonly times?: Partial<ServerTimes>;
  readonly clock?: Clock;
  /** Is told what no request should have brought about: errors that nobody named, of operations too. */
  readonly onFault?: (error: unknown) => void;
}

/** A server that listens. Disposing it refuses what is under way and frees what clients hold. */
export interface TinkerServer extends AsyncDisposable {
  readonly url: string;
}

/** Milliseconds. A client of the SDK beats every 10 seconds, and gives one poll up after 45. */
const usual = {
  silence: 300_000,
  poll: 30_000,
  gap: 60_000,
  keep: 600_000,
  sweep: 1000,
} satisfies ServerTimes;
const milliseconds = (left: number) => z.number().min(1).default(left);
const optionsSchema = z.strictObject({
  engine: z.custom<Engine>(
    (value) => typeof (value as Partial<Engine> | null | undefined)?.createModel === "function",
    "expected an engine that was opened, such as await local().open({ logFolder })",
  ),
  models: z.record(z.string(), z.string()),
  stateFolder: z.string().min(1),
  key: z
    .string()
    .min(1, "it is empty: leave it out for none")
    .regex(/^[\x21-\x7e]*$/, "expected letters, digits and signs of ASCII: a request can carry no others")
    .optional(),
  host: z.string().min(1).default("127.0.0.1"),
  port: z.number().int().min(0).max(65_535).default(0),
  precision: z.enum(["fp32", "mixed", "bf16"]).default("fp32"),
  maxBodyBytes: z.number().min(1).default(64e6),
  times: z
    .strictObject({
      silence: milliseconds(usual.silence),
      poll: milliseconds(usual.poll),
      gap: milliseconds(usual.gap),
      keep: milliseconds(usual.keep),
      sweep: milliseconds(usual.sweep),
    })
    .prefault({}),
  clock: z.custom<Clock>((value) => typeof value === "object" && value !== null).default(() => systemClock),
  onFault: z
    .custom<(error: unknown) => void>((value) => typeof value === "function", "expected a function")
    .default(() => () => undefined),
});

/**
 * Puts the Tinker API in front of an engine. Throws user errors `key-missing`, `invalid-option`, `config-missing`,
 * `config-invalid`, `weights-missing`, `state-folder-in-use`, and an environment error `cannot-listen`.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "model-"));
 * const { path } = await tiny().prepare(folder, { characters: "0123456789=", projectFolder: folder });
 * await using engine = await tabular().open({ logFolder: "logs" });
 * const models = { "org/tiny": path };
 * await using server = await serveTinker({ engine, models, stateFolder: join(folder, "state"), key: "tml-secret" });
 * console.log(server.url); // for TINKER_BASE_URL
 */
export async function serveTinker(options: ServeOptions): Promise<TinkerServer> {
  const { engine, models, stateFolder, key, host, port, precision, maxBodyBytes, onFault, times, ...read } =
    readOptions("serveTinker()", optionsSchema, options);
  const sameMachine = isLoopback(host);
  if (!sameMachine && key === undefined)
    throw userError(
      "key-missing",
      `Whoever reaches ${host} could use this server: give it a key that clients must send (--key).`,
    );
  if (Object.keys(models).length === 0)
    throw userError("invalid-option", "A server needs a model to serve: --model NAME=FOLDER.");
  const bases = new Map(Object.entries(models).map(([name, folder]) => [name, baseModel(name, folder)]));
  const clock = new SteadyClock(read.clock);
  const capabilities = await engine.capabilities();
  if (!capabilities.precisions.includes(precision))
    throw userError("unsupported-precision", `The engine ${capabilities.engine} has no ${precision}.`);
  const catalogue = await Catalogue.open(stateFolder, clock);
  const parts = { engine, capabilities, bases, precision, catalogue, clock, times, sameMachine, onFault };
  const state = new ServerState(parts);
  const name = urlHost(host);
  const server = httpServer(state, {
    key,
    hosts: key === undefined ? new Set(["localhost", "127.0.0.1", "[::1]", name]) : undefined,
    maxBodyBytes,
    onFault,
  });
  try {
    await listening(server, host, port);
    server.on("error", onFault);
  } catch (error) {
    await catalogue[Symbol.asyncDispose]();
    throw error;
  }
  const sweeping = setInterval(() => void state.sweep().catch(onFault), times.sweep);
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${name}:${taken}`,
    async [Symbol.asyncDispose]() {
      clearInterval(sweeping);
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await state.close();
      await catalogue[Symbol.asyncDispose]();
    },
  };
}

const urlHost = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host);

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));

/** Whether a server could listen there, found out before anything else is done. Throws `cannot-listen`. */
export async function checkAddress({
  host = "127.0.0.1",
  port,
}: Pick<ServeOptions, "host" | "port">): Promise<void> {
  const server = createServer();
  await listening(server, host, port ?? 0);
  await new Promise((resolve) => server.close(resolve));
}

async function listening(server: Server, host: string, port: number): Promise<void> {
  try {
    await once(server.listen(port, host), "listening");
  } catch (error) {
    throw cannotListen(host, port, error);
  }
}

function cannotListen(host: string, port: number, cause: unknown): WhetstoneError {
  const { code = "" } = cause as NodeJS.ErrnoException;
  const reason =
    code === "EADDRINUSE" ? "another program listens there" : code === "EACCES" ? "it is not allowed" : code;
  return new WhetstoneError({
    code: "cannot-listen",
    category: "environment",
    message: `Cannot listen on ${host}:${port} (${reason}): choose another port or host.`,
    details: { host, port },
    cause,
  });
}
