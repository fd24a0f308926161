import { expect, test } from "vitest";
import type { Sampler } from "../../../foundation/contract/index.ts";
import { lineOfChance, linesOf } from "./lines.ts";

const tokens = Array.from({ length: 500 }, (_, id) => id);

const sampling = (sample: Sampler["sample"]): Sampler => ({ sample }) as Sampler;

test("lines are as long as those of chance, begin like them and go on as a model does", async () => {
  const sampler = sampling(async (requests) =>
    requests.map(({ prompt, parameters }) => [
      {
        tokens: new Int32Array(parameters.maxTokens ?? 0).fill(1000 + (prompt[0] as number)),
        logprobs: new Float32Array(),
        stopReason: "length",
      },
    ]),
  );
  const lines = await linesOf(sampler, tokens);
  expect(lines.length).toBe(64);
  for (const [index, [first, ...rest]] of lines.map((line) => [...line]).entries()) {
    const chance = lineOfChance(tokens, index);
    expect(first).toBe(chance[0]);
    expect(rest).toEqual(Array.from({ length: chance.length - 1 }, () => 1000 + (first as number)));
  }
});

test("what is not sampled stays of chance", async () => {
  const chance = Array.from({ length: 64 }, (_, index) => lineOfChance(tokens, index));
  expect(
    await linesOf(
      sampling(async () => []),
      tokens,
    ),
  ).toEqual(chance);
  const short = sampling(async (requests) =>
    requests.map(() => [{ tokens: Int32Array.of(7), logprobs: new Float32Array(1), stopReason: "stop" }]),
  );
  expect(await linesOf(short, tokens)).toEqual(
    chance.map((line) => Int32Array.of(line[0] as number, 7, ...line.subarray(2))),
  );
  const longer = sampling(async (requests) =>
    requests.map(() => [
      { tokens: new Int32Array(99), logprobs: new Float32Array(99), stopReason: "length" },
    ]),
  );
  expect((await linesOf(longer, tokens)).map(({ length }) => length)).toEqual(
    chance.map(({ length }) => length),
  );
});
