import { setTimeout as pause } from "node:timers/promises";
import { isWhetstoneError, messageOf, WhetstoneError } from "../../../foundation/base/index.ts";
import { engineError } from "../engine-error.ts";

export interface ConnectionOptions {
  /** As the SDK has it: what comes before `/api/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string;
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

const attempts = 5;
const firstPauseMs = 100;

/** A Tinker server over HTTP, as one client sees it: sends, tries again what may be tried again, and waits for results. */
export class Connection {
  readonly #prefix: string;
  readonly #key: string;

  constructor({ baseUrl, apiKey }: ConnectionOptions) {
    this.#prefix = `${baseUrl.replace(/\/+$/, "")}/api/v1/`;
    this.#key = apiKey;
  }

  async get(path: string): Promise<Record<string, unknown>> {
    return jsonOf(await this.#send(path, { method: "GET" }));
  }

  async post(path: string, body: object): Promise<Record<string, unknown>> {
    return jsonOf(await this.#send(path, { method: "POST", body: JSON.stringify(body) }));
  }

  /** The result of an operation that answers in JSON. Throws what the operation did. */
  async operation(path: string, body: object): Promise<Record<string, unknown>> {
    return jsonOf(await this.#result(await this.post(path, body)));
  }

  /** The result of an operation that answers in protobuf. */
  async samples(body: object): Promise<Uint8Array> {
    return bytesOf(await this.#result(await this.post("asample", body)));
  }

  async pass(body: Uint8Array): Promise<Uint8Array> {
    const headers = { "Content-Type": "application/x-protobuf" };
    const sent = await this.#send("forward_backward", {
      method: "POST",
      body: body as Uint8Array<ArrayBuffer>,
      headers,
    });
    return bytesOf(await this.#result(await jsonOf(sent)));
  }

  async #result(submitted: Record<string, unknown>): Promise<Response> {
    const body = JSON.stringify({ request_id: submitted.request_id, allow_metadata_only: false });
    const headers = { Accept: "application/x-protobuf, application/json" };
    for (;;) {
      const response = await this.#send("retrieve_future", { method: "POST", body, headers });
      if (response.status !== 408) return response;
      await response.arrayBuffer();
    }
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    const headers = { "X-API-Key": this.#key, "Content-Type": "application/json", ...init.headers };
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(this.#prefix + path, { ...init, headers }).catch((error: unknown) => {
        if (attempt < attempts) return undefined;
        throw unreachable(this.#prefix, error);
      });
      const again = response === undefined || response.status === 429 || response.status >= 500;
      if (!again || attempt === attempts) return response as Response;
      await response?.arrayBuffer();
      await pause(firstPauseMs * 2 ** (attempt - 1));
    }
  }
}

async function bytesOf(response: Response): Promise<Uint8Array> {
  if (response.headers.get("content-type")?.startsWith("application/json"))
    throw refusalOf(response, await response.text());
  return new Uint8Array(await response.arrayBuffer());
}

/** Read whole in every case: a body that is left lying holds its connection. */
async function jsonOf(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  const value = parsed(text);
  if (response.status !== 200 || value === undefined || "error" in value) throw refusalOf(response, text);
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
function refusalOf(response: Response, text: string): WhetstoneError {
  const body = parsed(text) ?? {};
  const message = String(body.error ?? body.detail ?? (text.slice(0, 300) || response.statusText));
  if (response.status === 401 || response.status === 403)
    return new WhetstoneError({
      code: "server-refused-key",
      category: "user",
      message: `The Tinker server takes no such key (${message}): set TINKER_API_KEY, or apiKey of tinker().`,
    });
  const code = typeof body.code === "string" ? body.code : "server-refused";
  if (badRequests.has(code)) return engineError("bad-request", message);
  return new WhetstoneError({ code, category: body.category === "user" ? "user" : "engine", message });
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
