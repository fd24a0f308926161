import { expect, test } from "vitest";
import { WhetstoneError } from "../../../foundation/base/index.ts";
import type { Sampler, TokenIds, TopLogprobs } from "../../../foundation/contract/index.ts";
import { readSamples } from "../tinker/index.ts";
import { modelName, served } from "./testing/wire-client.ts";

const prompt = { chunks: [{ type: "encoded_text", tokens: [3, 4, 5] }] };

test("draws with the same seed are equal, and without one are not", async () => {
  await using one = await served();
  const { client } = one;
  const sampler = await client.sampler(0, { base_model: modelName });
  const draw = async (sequence: number, parameters: object) => {
    const sampling_params = { max_tokens: 16, stop: [], ...parameters };
    const { samples } = await client.sample(sampler, sequence, { sampling_params, num_samples: 2 });
    return samples?.sequences.map(({ tokens }) => tokens.join()) ?? [];
  };
  const first = await draw(0, { seed: 5 });
  expect(first).toHaveLength(2);
  expect(new Set(first).size).toBe(2);
  expect(await draw(1, { seed: 5 })).toEqual(first);
  // Any integer is a seed.
  expect(await draw(2, { seed: -1 })).toEqual(await draw(3, { seed: -1 }));
  expect(await draw(4, { seed: Number.MAX_SAFE_INTEGER })).toHaveLength(2);
  // Of more digits than a double has, none is lost: neighbours are others, and the lowest 48 bits say which.
  const long = async (sequence: number, seed: string) => {
    const sampling_params = { max_tokens: 16, stop: [], seed: 0 };
    const body = JSON.stringify({ sampling_session_id: sampler, seq_id: sequence, prompt, sampling_params });
    const asked = await client.request("POST", "asample", {
      body: body.replace('"seed":0', `"seed": ${seed}`),
    });
    return readSamples((await client.result(asked)).bytes).sequences[0]?.tokens.join();
  };
  const longs = [
    "9223372036854775807",
    "9223372036854775806",
    "-9223372036854775808",
    "18446744073709551617",
  ];
  const drawn = await Promise.all(longs.map((seed, index) => long(10 + index, seed)));
  expect(new Set(drawn).size).toBe(4);
  expect(drawn[0]).toBe(await long(20, "-1"));
  expect(drawn[3]).toBe(await long(21, "1"));
  for (const [index, none] of ["9223372036854775807.5", "9".repeat(400)].entries())
    expect(await long(30 + index, none)).toBeUndefined();
  expect(await draw(5, {})).not.toEqual(await draw(6, {}));
});

test("stops: by default at the end of text, none, ids, and texts", async () => {
  await using one = await served();
  const { client } = one;
  const sampler = await client.sampler(0, { base_model: modelName });
  let sequence = 0;
  const draw = async (parameters: object) => {
    const sampling_params = { max_tokens: 200, seed: 3, ...parameters };
    const { samples } = await client.sample(sampler, sequence++, { sampling_params });
    return samples?.sequences[0];
  };
  const free = await draw({ stop: [] });
  expect(free?.stopReason).toBe("length");
  expect(free?.tokens).toHaveLength(200);
  const endToken = 2;
  const ended = await draw({ stop: null });
  expect(ended?.stopReason).toBe("stop");
  expect(ended?.tokens.at(-1)).toBe(endToken);
  const id = free?.tokens[3] as number;
  expect((await draw({ stop: [id] }))?.tokens.at(-1)).toBe(id);
  for (const stop of ["e", ["zz", "e"]]) {
    const stopped = await draw({ stop });
    // "e" is the fifth letter, and letters begin at 3.
    expect([stopped?.stopReason, stopped?.tokens.at(-1)]).toEqual(["stop", 7]);
  }
  // Without a limit, or with one beyond it, the model's longest sequence is one.
  for (const max_tokens of [null, 300, Number.MAX_SAFE_INTEGER])
    expect((await draw({ stop: [], max_tokens }))?.tokens).toHaveLength(256 - 2 + 1);
});

test("a prompt's logprobs, whole or of its end", async () => {
  await using one = await served();
  const { client } = one;
  const sampler = await client.sampler(0, { base_model: modelName });
  const ask = async (sequence: number, more: object) =>
    (await client.sample(sampler, sequence, { prompt, prompt_logprobs: true, ...more })).samples
      ?.promptLogprobs;
  const whole = await ask(0, {});
  expect(whole).toHaveLength(3);
  expect(whole?.[0]).toBeNaN();
  const end = await ask(1, { prompt_logprobs_last_n: 1 });
  expect(end?.[1]).toBeNaN();
  expect(end?.[2]).toBe(whole?.[2]);
});

test("the longest sample there is can be scored, and nothing longer", async () => {
  await using one = await served();
  const { client } = one;
  const sampler = await client.sampler(0, { base_model: modelName });
  const { samples } = await client.sample(sampler, 0, { sampling_params: { stop: [], seed: 1 } });
  const [drawn] = samples?.sequences ?? [];
  const whole = [3, 4, ...(drawn?.tokens ?? [])];
  expect(whole).toHaveLength(257);
  const ask = (sequence: number, tokens: readonly number[], more: object) =>
    client.sample(sampler, sequence, {
      prompt: { chunks: [{ type: "encoded_text", tokens }] },
      sampling_params: { max_tokens: 1 },
      ...more,
    });
  const scored = (await ask(1, whole, { prompt_logprobs: true, topk_prompt_logprobs: 1 })).samples;
  expect(scored?.promptLogprobs?.subarray(2)).toEqual(drawn?.logprobs);
  expect(scored?.topPromptLogprobs?.tokens).toHaveLength(257);
  expect(scored?.sequences).toMatchObject([{ stopReason: "length", tokens: { length: 0 } }]);
  // What has room is drawn all the same, and what asks for a token alone is told that there is none.
  const shorter = (await ask(2, whole.slice(0, -1), { prompt_logprobs: true })).samples;
  expect(shorter?.sequences[0]?.tokens).toHaveLength(1);
  for (const [sequence, tokens, more] of [
    [3, [...whole, 3], { prompt_logprobs: true }],
    [4, whole, {}],
  ] as const) {
    const { answer } = await ask(sequence, tokens, more);
    expect(answer.body).toMatchObject({ category: "user", code: "too-long" });
  }
});

test("what a draw asks for and cannot have is refused in words", async () => {
  await using one = await served({}, (engine) => ({
    name: engine.name,
    capabilities: async () => ({ ...(await engine.capabilities()), topLogprobs: 0 }),
    createModel: (options) => engine.createModel(options),
    loadSampler: (options) => engine.loadSampler(options),
    cost: () => engine.cost(),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  }));
  const { client } = one;
  const sampler = await client.sampler(0, { base_model: modelName });
  const cases = {
    "most probable tokens": { topk_prompt_logprobs: 3 },
    "most probable": { topk_sample_logprobs: 1 },
    prompt_alt_tokens_k: { prompt_alt_tokens_k: 2 },
    target_prompt_logprobs: { target_prompt_logprobs: { data: [] } },
    record_stability_info: { record_stability_info: true },
    prompt_logprobs_last_n: { prompt_logprobs: true, prompt_logprobs_last_n: 9 },
    "at least one token": { prompt: { chunks: [] } },
    image: { prompt: { chunks: [{ type: "image" }] } },
    "outside 0…47": { prompt: { chunks: [{ type: "encoded_text", tokens: [48] }] } },
    topP: { sampling_params: { max_tokens: 2, top_p: 1.5 } },
    temperature: { sampling_params: { max_tokens: 2, temperature: -1 } },
    there_is_none: { there_is_none: 1 },
    max_tokens: { sampling_params: { max_tokens: 0 } },
    num_samples: { num_samples: 20_000 },
    "half a character": { sampling_params: { max_tokens: 2, stop: "\ud800" } },
  };
  let sequence = 0;
  for (const [says, more] of Object.entries(cases)) {
    const { answer } = await client.sample(sampler, sequence++, more);
    expect(answer.body, says).toMatchObject({ category: "user" });
    expect(answer.body.error).toContain(says);
  }
  expect((await client.sample("none", 0)).answer.status).toBe(404);
});

test("a draw that is asked for again is not drawn again; another under its number is refused", async () => {
  await using one = await served();
  const { client } = one;
  const sampler = await client.sampler(0, { base_model: modelName });
  const ask = (seed: number | null) => ({
    sampling_session_id: sampler,
    seq_id: 1,
    prompt,
    sampling_params: { max_tokens: 8, seed, stop: [] },
  });
  const first = await client.post("asample", ask(null));
  const again = await client.post("asample", ask(null));
  expect(again.body).toEqual(first.body);
  expect(first.body.sample_sequence_ids).toHaveLength(1);
  expect((await client.result(again)).bytes).toEqual((await client.result(first)).bytes);
  expect((await client.post("asample", ask(7))).body).toMatchObject({ code: "sequence-conflict" });
});

test("draws have numbers beyond what a double holds, as those of copies of the SDK's client have", async () => {
  await using one = await served();
  const { client } = one;
  const sampler = await client.sampler(0, { base_model: modelName });
  const ask = (sequence: string, seed: number) => {
    const sampling_params = { max_tokens: 8, stop: [], seed };
    const body = JSON.stringify({ sampling_session_id: sampler, seq_id: 0, prompt, sampling_params });
    return client.request("POST", "asample", { body: body.replace('"seq_id":0', `"seq_id":${sequence}`) });
  };
  const [first, next] = ["123456789000000000", "123456789000000001"] as const;
  const begun = [await ask(first, 1), await ask(next, 2)];
  const drawn = [];
  for (const answer of begun)
    drawn.push(readSamples((await client.result(answer)).bytes).sequences[0]?.tokens);
  expect(drawn[0]).toHaveLength(8);
  expect(drawn[0]).not.toEqual(drawn[1]);
  expect((await ask(next, 2)).body).toEqual(begun[1]?.body);
  expect((await ask(next, 3)).body).toMatchObject({ code: "sequence-conflict" });
});

test("many clients draw at once from one model", async () => {
  await using one = await served();
  const { client } = one;
  const sampler = await client.sampler(0, { base_model: modelName });
  const draws = await Promise.all(
    Array.from({ length: 64 }, (_, sequence) => client.sample(sampler, sequence)),
  );
  expect(new Set(draws.map(({ samples }) => samples?.sequences[0]?.tokens.join())).size).toBe(1);
});

test("samplers of unknown things are not found", async () => {
  await using one = await served();
  const { client } = one;
  for (const of of [
    { base_model: "org/none" },
    { model_path: "tinker://x/sampler_weights/y" },
    { model_path: "tinker://../../etc/passwd" },
    {},
  ]) {
    const answer = await client.post("create_sampling_session", {
      session_id: client.session,
      sampling_session_seq_id: 0,
      ...of,
    });
    expect([answer.status, answer.body]).toMatchObject([404, { category: "user" }]);
  }
});

test("weights that the engine lost are loaded again by the next draw", async () => {
  const died = new WhetstoneError({ code: "worker-died", category: "engine", message: "The worker died." });
  let [loads, dead] = [0, false];
  await using one = await served({}, (engine) => ({
    name: engine.name,
    capabilities: () => engine.capabilities(),
    createModel: (options) => engine.createModel(options),
    loadSampler: async (options) => {
      loads += 1;
      const sampler = await engine.loadSampler(options);
      const draw = sampler.sample.bind(sampler);
      sampler.sample = (requests) => (dead ? Promise.reject(died) : draw(requests));
      return sampler;
    },
    cost: () => engine.cost(),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  }));
  const { client } = one;
  const sampler = await client.sampler(0, { base_model: modelName });
  const first = await client.sample(sampler, 0);
  await client.sample(await client.sampler(1, { base_model: modelName }), 0);
  expect(loads).toBe(1);
  dead = true;
  const { answer } = await client.sample(sampler, 1);
  expect([answer.status, answer.body]).toMatchObject([200, { category: "server", code: "worker-died" }]);
  dead = false;
  expect((await client.sample(sampler, 2)).samples).toEqual(first.samples);
  expect(loads).toBe(2);
});

test("the most probable tokens of a prompt, and of a sample, in the API's form", async () => {
  const k = 5;
  await using one = await served({}, (engine) => ({
    name: engine.name,
    capabilities: async () => ({ ...(await engine.capabilities()), topLogprobs: k }),
    createModel: (options) => engine.createModel(options),
    loadSampler: async (options) => telling(await engine.loadSampler(options)),
    cost: () => engine.cost(),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  }));
  const { client } = one;
  const sampler = await client.sampler(0, { base_model: modelName });
  const { samples } = await client.sample(sampler, 0, {
    prompt,
    prompt_logprobs: true,
    topk_prompt_logprobs: k,
    topk_sample_logprobs: 2,
  });
  const top = samples?.topPromptLogprobs;
  expect(top?.k).toBe(k);
  expect(top?.tokens).toHaveLength(3 * k);
  expect(Array.from(top?.logprobs.subarray(0, k) ?? []).every(Number.isNaN)).toBe(true);
  const row = Array.from(top?.logprobs.subarray(k, 2 * k) ?? []);
  expect(row).toEqual(row.toSorted((a, b) => b - a));
  expect(Math.exp(row[0] as number)).toBeGreaterThan(1 / 48);
  const place = top?.tokens.subarray(k, 2 * k).indexOf(4) ?? -1;
  if (place >= 0) expect(row[place]).toBeCloseTo(samples?.promptLogprobs?.[1] ?? 0, 5);
  expect(samples?.sequences[0]?.top).toMatchObject({ k: 2 });
  const end = (
    await client.sample(sampler, 2, {
      prompt,
      prompt_logprobs: true,
      prompt_logprobs_last_n: 1,
      topk_prompt_logprobs: k,
    })
  ).samples?.topPromptLogprobs;
  expect(Array.from(end?.logprobs.subarray(0, 2 * k) ?? [0]).every(Number.isNaN)).toBe(true);
  expect(end?.tokens.subarray(0, 2 * k).every((token) => token === 0)).toBe(true);
  expect(end?.logprobs.subarray(2 * k)).toEqual(top?.logprobs.subarray(2 * k));
  expect(end?.tokens.subarray(2 * k)).toEqual(top?.tokens.subarray(2 * k));
  const { answer } = await client.sample(sampler, 1, { topk_prompt_logprobs: k + 1 });
  expect(answer.body).toMatchObject({ category: "user", code: "unsupported" });
});

/** The sampler, which also tells the most probable tokens: from the logprobs that it has of every token. */
function telling(sampler: Sampler): Sampler {
  const topOf = async (tokens: TokenIds, k: number): Promise<TopLogprobs> => {
    const top = {
      k,
      tokens: new Int32Array(tokens.length * k),
      logprobs: new Float32Array(tokens.length * k),
    };
    top.logprobs.fill(Number.NaN, 0, k);
    for (let place = 1; place < tokens.length; place++) {
      const all = Array.from({ length: 48 }, (_, id) => Int32Array.of(...tokens.subarray(0, place), id));
      const logprobs = (await sampler.logprobs(all)).map((values) => values.at(-1) as number);
      const order = [...logprobs.keys()].sort((a, b) => (logprobs[b] as number) - (logprobs[a] as number));
      for (const [rank, id] of order.slice(0, k).entries()) {
        top.tokens[place * k + rank] = id;
        top.logprobs[place * k + rank] = logprobs[id] as number;
      }
    }
    return top;
  };
  return {
    id: sampler.id,
    weightVersion: sampler.weightVersion,
    logprobs: (sequences, options) => sampler.logprobs(sequences, options),
    score: async (sequences, { top = 0 } = {}) => {
      const logprobs = await sampler.logprobs(sequences);
      return Promise.all(
        sequences.map(async (tokens, index) => ({
          logprobs: logprobs[index] as Float32Array,
          top: await topOf(tokens, top),
        })),
      );
    },
    sample: async (requests) => {
      const drawn = await sampler.sample(requests);
      const k = requests[0]?.parameters.topLogprobs ?? 0;
      const whole = (tokens: TokenIds) => Int32Array.of(...(requests[0]?.prompt ?? []), ...tokens);
      return Promise.all(
        drawn.map((group) =>
          Promise.all(
            group.map(async (one) => {
              const top = await topOf(whole(one.tokens), k);
              const from = (requests[0]?.prompt.length ?? 0) * k;
              return {
                ...one,
                top: { k, tokens: top.tokens.slice(from), logprobs: top.logprobs.slice(from) },
              };
            }),
          ),
        ),
      );
    },
    [Symbol.asyncDispose]: () => sampler[Symbol.asyncDispose](),
  };
}
