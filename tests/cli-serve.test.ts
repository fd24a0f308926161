import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jsonLines, root, start, temporaryFolder, whetstone } from "./cli-program.ts";

const tiny = `org/tiny=${join(root, "examples/models/tiny")}`;
const serve = ["engine", "serve", "--engine", "tabular", "--model", tiny, "--port", "0"];

test.concurrent.each(["SIGINT", "SIGTERM"] as const)(
  "engine serve answers until %s, which ends it well",
  async (signal) => {
    const folder = temporaryFolder();
    const serving = start([...serve, "--key", "tml-k", "--json"], { folder });
    const { url, models, engine } = JSON.parse(await serving.line(() => true)) as Record<string, unknown>;
    expect([models, engine]).toEqual([["org/tiny"], "tabular"]);
    const ask = (key: string) =>
      fetch(`${url}/api/v1/get_server_capabilities`, { headers: { "x-api-key": key } });
    expect((await ask("tml-other")).status).toBe(401);
    expect(await (await ask("tml-k")).json()).toEqual({
      supported_models: [
        { model_name: "org/tiny", max_context_length: 256, trainable: true, sampleable: true },
      ],
    });
    serving.child.kill(signal);
    const { code, signal: by } = await serving.ended;
    expect([code, by]).toEqual([0, null]);
  },
);

test.concurrent("engine serve refuses what it cannot do, in one sentence, before anything starts", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as AddressInfo;
  const cases: readonly (readonly [code: number, says: string, commandLine: readonly string[]])[] = [
    [3, "--model is missing", ["engine", "serve"]],
    [3, "NAME=FOLDER", ["engine", "serve", "--model", "tiny"]],
    [3, "twice", [...serve, "--model", tiny]],
    [
      3,
      "There is no model nowhere",
      ["engine", "serve", "--engine", "tabular", "--model", "org/none=nowhere"],
    ],
    [3, "/none=either", ["engine", "serve", "--engine", "tabular", "--model", "org/none=/none=either"]],
    [3, "has no config.json", ["engine", "serve", "--engine", "tabular", "--model", "org/none=."]],
    [3, "did you mean tabular", ["engine", "serve", "--engine", "tabluar", "--model", tiny]],
    [3, "it is fp32, mixed, or bf16", [...serve, "--precision", "int3"]],
    [3, "has no bf16", [...serve, "--precision", "bf16"]],
    [3, "--key", [...serve, "--host", "0.0.0.0"]],
    [3, "--key is empty", [...serve, "--key", ""]],
    [2, "is a file where a folder is to be", [...serve, "--state", join(root, "package.json")]],
    [2, "another program listens there", [...serve.slice(0, -1), String(port)]],
  ];
  await Promise.all(
    cases.map(async ([code, says, commandLine]) => {
      const ended = await whetstone([...commandLine, "--json"], { folder: temporaryFolder() });
      expect(ended.code, says).toBe(code);
      const [{ error } = {}] = jsonLines(ended.stdout);
      expect((error as { message: string }).message).toContain(says);
    }),
  );
  taken.close();
});
