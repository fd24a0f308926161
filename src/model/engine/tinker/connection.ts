import * as http from "node:http";
import * as https from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import { isWhetstoneError, messageOf, WhetstoneError } from "../../../foundation/base/index.ts";
import { engineError } from "../engine-error.ts";
import { readArrays, type WireArrays } from "./wire/arrays.ts";
import { readPassOutput, type WirePass, type WirePassOutput, writePass } from "./wire/forward-backward.ts";
import { jsonPass, passOutputIn, samplesIn } from "./wire/json.ts";
import { readSamples, type WireSamples } from "./wire/sample-response.ts";

/** A server's address in the one form in which it is compared. */
export const addressOf = (baseUrl: string): string => baseUrl.replace(/\/+$/, "");

export interface ConnectionOptions {
  /** As the SDK has it: what comes before `/api/v1`, as {@link addressOf} gives it. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** How long a server that answered before, and does not now, is waited for; default a minute. */
  readonly unreachableMs?: number | undefined;
}

/** What the server makes of a wrong call, each in words of its own; for an engine they are one thing. */
const badRequests = new Set([
  "invalid-option",
  "wrong-shape",
  "wrong-dtype",
  "missing-input",
  "unknown-input",
  "unknown-loss",
  "unknown-loss-setting",
  "unsupported",
]);

/** A checkpoint that is still being written; too many requests; and what a proxy says of a server that does not answer. */
const busy: ReadonlySet<number> = new Set([425, 429, 502, 503, 504]);
/** What a server says of a body whose form it does not know: 415, or FastAPI's 422. */
const unread: ReadonlySet<number> = new Set([415, 422]);
const attempts = 5;
const firstPauseMs = 100;
const longestPauseMs = 2000;
/** Before a result is asked for again: a server may not hold the request until it is there. */
const pollPauseMs = 20;

/** A Tinker server over HTTP, as one client sees it: sends, tries again what may be tried again, and waits for results. */
export class Connection {
  readonly #prefix: string;
  readonly #key: string;
  readonly #transport: Transport;
  #speaksJson = false;
  #patienceMs = 0;
  readonly #unreachableMs: number;
  readonly #closing = new AbortController();

  constructor({ baseUrl, apiKey, unreachableMs = 60_000 }: ConnectionOptions) {
    this.#unreachableMs = unreachableMs;
    this.#prefix = `${baseUrl}/api/v1/`;
    this.#key = apiKey;
    this.#transport = transportOf(baseUrl);
  }

  async get(path: string): Promise<Record<string, unknown>> {
    return jsonOf(await this.#send("GET", path));
  }

  /** From now on a server that does not answer is waited for: it was there, and may be being started again. */
  waitForReturn(): void {
    this.#patienceMs = this.#unreachableMs;
  }

  async post(path: string, body: object, sending: Sending = {}): Promise<Record<string, unknown>> {
    return jsonOf(await this.#send("POST", path, JSON.stringify(body), {}, sending));
  }

  /** Sends once, and waits for no more than that it arrived, and not for long: nothing depends on it. */
  async tell(path: string, body: object): Promise<void> {
    const headers = { "X-API-Key": this.#key, "Content-Type": "application/json" };
    await this.#once("POST", path, headers, JSON.stringify(body), tellMs);
  }

  /** Removes what a path names, as far as the server lets it. */
  async remove(path: string): Promise<void> {
    await this.#send("DELETE", path, undefined, {}, { patient: false });
  }

  /** The result of an operation that answers in JSON. Throws what the operation did. */
  async operation(path: string, body: object, sending: Sending = {}): Promise<Record<string, unknown>> {
    return jsonOf(await this.#result(await this.#send("POST", path, JSON.stringify(body), waiting, sending)));
  }

  /** Draws; the answer is protobuf, or JSON of servers that know no other. */
  async samples(body: object): Promise<WireSamples> {
    const answer = await this.#result(await this.#send("POST", "asample", JSON.stringify(body), waiting));
    return isProtobuf(answer) ? read(answer, readSamples) : samplesIn(jsonOf(answer));
  }

  /** A pass over data, in protobuf. A server that does not read it says so before it takes the call, and gets JSON from then on. */
  async pass(pass: WirePass): Promise<WirePassOutput> {
    const begun = await this.#begin(pass);
    const answer = await this.#result(begun);
    return isProtobuf(answer) ? read(answer, readPassOutput) : passOutputIn(jsonOf(answer));
  }

  /** Arrays that an extension gives for a request in protobuf. */
  async arrays(path: string, body: Uint8Array): Promise<WireArrays> {
    const headers = { ...waiting, "Content-Type": protobuf };
    const answer = await this.#result(await this.#send("POST", path, body, headers));
    if (isProtobuf(answer)) return read(answer, readArrays);
    jsonOf(answer);
    throw unreadable("it holds no arrays");
  }

  async #begin(pass: WirePass): Promise<Answer> {
    if (!this.#speaksJson) {
      const headers = { ...waiting, "Content-Type": protobuf };
      const answer = await this.#send("POST", "forward_backward", writePass(pass), headers);
      if (!unread.has(answer.status)) return answer;
      const again = await this.#beginJson(pass);
      this.#speaksJson = again.status === 200;
      return this.#speaksJson ? again : answer;
    }
    return this.#beginJson(pass);
  }

  #beginJson(pass: WirePass): Promise<Answer> {
    const { path, body } = jsonPass(pass);
    return this.#send("POST", path, JSON.stringify(body), waiting);
  }

  /** What was begun is polled for; a server that waits for preference has answered with it already. */
  async #result(answer: Answer): Promise<Answer> {
    if (isProtobuf(answer)) return answer;
    const { request_id: id } = jsonOf(answer);
    if (typeof id !== "string") return answer;
    const body = JSON.stringify({ request_id: id, allow_metadata_only: false });
    for (;;) {
      const polled = await this.#send("POST", "retrieve_future", body, { Accept: protobuf });
      if (!isPending(polled)) return polled;
      await this.#pause(pollPauseMs);
    }
  }

  async #send(
    method: string,
    path: string,
    body?: string | Uint8Array,
    more: Readonly<Record<string, string>> = {},
    { patient = true }: Sending = {},
  ): Promise<Answer> {
    const headers = { "X-API-Key": this.#key, "Content-Type": "application/json", ...more };
    let waited = 0;
    for (let attempt = 1; ; attempt++) {
      const waits = attempt < attempts || (patient && waited < this.#patienceMs);
      const answer = await this.#once(method, path, headers, body).catch((error: unknown) => {
        if (waits) return undefined;
        throw unreachable(this.#prefix, error);
      });
      if (answer !== undefined) {
        const { status } = answer;
        const again = busy.has(status) ? waits : status >= 500 && attempt < attempts;
        if (!again) return answer;
      }
      const next = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1));
      waited += next;
      await this.#pause(next);
    }
  }

  /** Throws `server-unreachable` when the connection is closed: nothing is waited for any more. */
  async #pause(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#closing.signal }).catch((error: unknown) => {
      throw unreachable(this.#prefix, error);
    });
  }

  #once(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | Uint8Array | undefined,
    timeout = timeoutMs,
  ): Promise<Answer> {
    const { request, agent } = this.#transport;
    const length = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const options = { method, agent, headers: { ...headers, ...length }, timeout };
      const sending = request(this.#prefix + path, options, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          const type = response.headers["content-type"]?.split(";", 1)[0] ?? "";
          resolve({ status: response.statusCode ?? 0, type, body: Buffer.concat(parts) });
        });
      });
      sending.on("error", reject);
      sending.on("timeout", () => sending.destroy(new Error("no answer in time")));
      sending.end(body);
    });
  }

  /** Nothing is waited for any more. */
  close(): void {
    this.#closing.abort();
    this.#transport.agent.destroy();
  }
}

const protobuf = "application/x-protobuf";
/** Servers that know it answer with the result itself, which saves a round trip; others with its id. */
const waiting = { Prefer: "wait" };
/** Longer than a server holds a poll. */
const timeoutMs = 90_000;
const tellMs = 5000;

interface Sending {
  /** False where nothing depends on it: a server that is gone is not waited for. */
  readonly patient?: boolean;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

interface Transport {
  readonly request: typeof http.request;
  readonly agent: http.Agent;
}

/** `fetch` takes twice the time of these for small requests. */
function transportOf(url: string): Transport {
  const options = { keepAlive: true, maxSockets: 64 };
  return url.startsWith("https:")
    ? { request: https.request, agent: new https.Agent(options) }
    : { request: http.request, agent: new http.Agent(options) };
}

const isProtobuf = ({ status, type }: Answer): boolean => status === 200 && type === protobuf;

/** No result yet: status 408, or a success that says so (the API has both). */
const isPending = ({ status, type, body }: Answer): boolean =>
  status === 408 ||
  (status === 200 && type !== protobuf && parsed(body.toString("utf8"))?.type === "try_again");

/** Throws `server-refused` where a server's answer is none. */
function read<T>({ body }: Answer, as: (bytes: Uint8Array) => T): T {
  try {
    return as(body);
  } catch (cause) {
    throw unreadable(messageOf(cause), cause);
  }
}

/** What a server's answer must say. Throws `server-refused`. */
export function textIn(answer: Readonly<Record<string, unknown>>, name: string): string {
  const value = answer[name];
  if (typeof value === "string" && value !== "") return value;
  throw unreadable(`it has no "${name}"`);
}

export const unreadable = (why: string, cause?: unknown): WhetstoneError =>
  new WhetstoneError({
    code: "server-refused",
    category: "engine",
    message: `The server's answer cannot be read: ${why}.`,
    cause,
  });

function jsonOf(answer: Answer): Record<string, unknown> {
  const value = parsed(answer.body.toString("utf8"));
  if (answer.status !== 200 || value === undefined || "error" in value) throw refusalOf(answer);
  return value;
}

/** Whatever stands in front of a server may answer in its own words. */
function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** What the server said, as an engine says it. */
function refusalOf({ status, body: bytes }: Answer): WhetstoneError {
  const text = bytes.toString("utf8");
  const body = parsed(text) ?? {};
  const said = body.error ?? body.detail;
  const message =
    typeof said === "string" ? said : text.slice(0, 300) || `the server answered with status ${status}`;
  if (status === 401 || status === 403)
    return new WhetstoneError({
      code: "server-refused-key",
      category: "user",
      message: `The Tinker server takes no such key, or wants one (${message}): TINKER_API_KEY says which, or --key of engine check, or apiKey of tinker().`,
    });
  const code = typeof body.code === "string" ? body.code : "server-refused";
  if (badRequests.has(code)) return engineError("bad-request", message);
  const category = body.category === "user" ? "user" : "engine";
  return new WhetstoneError({ code, category, message, details: { status } });
}

function unreachable(where: string, cause: unknown): WhetstoneError {
  if (isWhetstoneError(cause)) return cause;
  const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  return new WhetstoneError({
    code: "server-unreachable",
    category: "environment",
    message: `No Tinker server answers at ${where} (${messageOf(inner)}): start it, or name another.`,
    cause,
  });
}
