import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { tinker } from "whetstone";
import { type PythonTools, pythonTools } from "../../scripts/python-tools.ts";
import { Connection } from "../../src/model/engine/tinker/connection.ts";
import { pairedRatio, type Turn } from "./paired.ts";
import { roundTripBar, roundTrips } from "./round-trips.ts";
import type { Row } from "./row.ts";

const trips = 1000;
const sdkTrips = 300;
const sdkVersion = "0.38.0";
const apiKey = "tml-k";
const modelName = "org/tiny";

/**
 * Our client → our server → nothing → back, against a bare HTTP round trip to a server of the same process: a request that is
 * answered at once, and a numbered operation that waits for its turn and has a result to be fetched. And the same two of the
 * official SDK, against a bare round trip of the library that it is built on.
 */
export async function wireRows(rounds: number): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-bench-wire-"));
  const child = spawn(process.execPath, [join(import.meta.dirname, "wire-server.ts"), folder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "close");
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value } = await lines.next();
    const { ours: baseUrl, bare } = JSON.parse(String(value)) as {
      readonly ours: string;
      readonly bare: string;
    };
    const connection = new Connection({ baseUrl, apiKey });
    const session = { tags: [], user_metadata: null, sdk_version: sdkVersion, type: "create_session" };
    const { session_id } = await connection.post("create_session", session);
    const beat = { session_id, type: "session_heartbeat" };
    await using engine = await tinker({ baseUrl, apiKey, model: modelName }).open({ logFolder: folder });
    await using model = await engine.createModel({ source: { kind: "folder", path: modelName } });
    await using sdk = await SdkClient.start([baseUrl, bare, apiKey, modelName, String(sdkTrips)]);
    using there = bareClient(bare, JSON.stringify(beat));
    const theirs = roundTrips(trips, there.trip);
    const requests = roundTrips(trips, () => connection.post("session_heartbeat", beat));
    const operations = roundTrips(trips, () => model.optimStep({ learningRate: 0, weightDecay: 0 }));
    for (const side of [theirs, requests, operations]) await side();
    for (const side of [sdk.bare, sdk.request, sdk.operation]) await side();
    const row = async (work: string, side: typeof theirs): Promise<Row> => ({
      work,
      against: "a bare HTTP round trip",
      setting: `Node on both sides, on the loopback interface with connections kept, one round trip after the other, ${trips} a turn`,
      ratio: await pairedRatio(side, theirs, rounds),
      bar: roundTripBar,
    });
    const sdkRow = async (work: string, calls: string, side: Turn, bar: number | null): Promise<Row> => ({
      work,
      against: "a bare HTTP round trip by the library under the SDK, httpx",
      setting: `the SDK ${sdkVersion} as it is, from Python to Node; ${calls} against get(), on the loopback interface with connections kept, one round trip after the other, ${sdkTrips} a turn`,
      ratio: await pairedRatio(side, sdk.bare, rounds),
      bar,
    });
    const rows = [
      await row("the wire: a request that does nothing", requests),
      await row("the wire: an operation that changes nothing, a step without a gradient", operations),
      await sdkRow(
        "the wire: a request of the official SDK that does nothing",
        "health_check()",
        sdk.request,
        roundTripBar,
      ),
      await sdkRow(
        "the wire: an operation of the official SDK that changes nothing, a step without a gradient",
        "the result of TrainingClient.optim_step(), two requests and the client's own queue,",
        sdk.operation,
        // Most of it is the client's; ours of such an operation is seen above, by our own.
        null,
      ),
    ];
    connection.close();
    return rows;
  } finally {
    child.stdin.end();
    await exited;
    await rm(folder, { recursive: true, force: true });
  }
}

/** Posts a body and reads an answer, over one connection. */
function bareClient(url: string, body: string): Disposable & { readonly trip: () => Promise<Buffer> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const headers = { "Content-Type": "application/json", "Content-Length": body.length };
  return {
    trip: () =>
      new Promise((resolve, reject) => {
        const sending = request(url, { method: "POST", agent, headers }, (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("error", reject);
          response.on("end", () => resolve(Buffer.concat(parts)));
        });
        sending.on("error", reject);
        sending.end(body);
      }),
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** The official SDK in a Python process of its own, and beside it the bare library; each goes when it is its turn. */
class SdkClient implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;

  private constructor({ python, environment }: PythonTools, options: readonly string[]) {
    this.#child = spawn(python, [join(import.meta.dirname, "sdk-trips.py"), ...options], {
      env: environment,
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#exited = once(this.#child, "close");
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[
      Symbol.asyncIterator
    ]();
  }

  static async start(options: readonly string[]): Promise<SdkClient> {
    return new SdkClient(await pythonTools(), options);
  }

  readonly request: Turn = () => this.#turn("request");
  readonly operation: Turn = () => this.#turn("operation");
  readonly bare: Turn = () => this.#turn("bare");

  async #turn(side: string): Promise<number> {
    this.#child.stdin?.write(`${side}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the process of the SDK ended");
    return Number(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited;
  }
}
