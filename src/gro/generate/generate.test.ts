import { expect, test } from "vitest";
import { reverse } from "../../world/task/index.ts";
import { itemOf, noModels, samplingOf } from "../rollout/testing/fakes.ts";
import { greedy, samples } from "./index.ts";

const request = {
  items: [itemOf("ab")],
  task: reverse(),
  models: noModels,
  earlier: async () => [],
  maxTokens: () => 5,
  seed: 3,
};

test("greedy is one attempt at temperature 0", async () => {
  const policy = samplingOf(() => "x");
  const [group] = await greedy().generate({ ...request, policy });
  expect(policy.sampler.calls[0]?.[0]).toMatchObject({
    samples: 1,
    parameters: { temperature: 0, maxTokens: 5 },
  });
  expect(group?.rollouts).toHaveLength(1);
  expect(greedy().samplesPerItem).toBe(1);
});

test("samples are several at a temperature, with a nucleus only where one is asked for", async () => {
  const policy = samplingOf(() => "x");
  await samples({ samples: 3, temperature: 0.5 }).generate({ ...request, policy });
  await samples({ topP: 0.9 }).generate({ ...request, policy });
  const [first, second] = policy.sampler.calls.map(([one]) => one);
  expect(first).toMatchObject({ samples: 3, parameters: { temperature: 0.5 } });
  expect(first?.parameters).not.toHaveProperty("topP");
  expect(second).toMatchObject({ samples: 8, parameters: { temperature: 1, topP: 0.9 } });
  expect(samples({ samples: 3 }).samplesPerItem).toBe(3);
});

test.each([[{ samples: 0 }], [{ temperature: 0 }], [{ topP: 0 }], [{ topP: 1.1 }], [{ sample: 1 }]])(
  "samples(%o) is refused",
  (options) => {
    expect(() => samples(options as object)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  },
);
