import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface ChatRequest {
  readonly authorization: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

interface ChatAnswer {
  readonly status?: number;
  readonly body: unknown;
  /** Headers and body come that much later. */
  readonly afterMs?: number;
}

export interface ChatServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly ChatRequest[];
}

/** A server that speaks OpenAI's `/chat/completions`, with what is said left to the test. */
export async function chatServer(
  say: (request: ChatRequest, number: number) => ChatAnswer,
): Promise<ChatServer> {
  const requests: ChatRequest[] = [];
  const server = createServer((incoming, response) => {
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of incoming) parts.push(part as Buffer);
      const { authorization = "" } = incoming.headers;
      const body = JSON.parse(Buffer.concat(parts).toString("utf8")) as ChatRequest["body"];
      const request = { authorization, path: incoming.url ?? "", body };
      requests.push(request);
      const { status = 200, body: said, afterMs = 0 } = say(request, requests.length);
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      response.writeHead(status, { "content-type": "application/json", "retry-after-ms": "1" });
      response.end(typeof said === "string" ? said : JSON.stringify(said));
    })();
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Said {
  readonly finish?: "stop" | "length";
  readonly logprobs?: readonly {
    readonly token: string;
    readonly logprob: number | null;
    readonly bytes?: number[];
  }[];
}

/** A completion as the API has it. */
export const completion = (content: string | null, { finish = "stop", logprobs }: Said = {}): ChatAnswer => ({
  body: {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 0,
    model: "small",
    choices: [
      {
        index: 0,
        finish_reason: finish,
        message: { role: "assistant", content, refusal: null },
        logprobs: logprobs === undefined ? null : { content: logprobs, refusal: null },
      },
    ],
    usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
  },
});

/** A refusal as the API has it. */
export const refusal = (status: number, message: string): ChatAnswer => ({
  status,
  body: { error: { message, type: "invalid_request_error", param: null, code: null } },
});
