import { expect, test } from "vitest";
import type { Sampler } from "../../../foundation/contract/index.ts";
import { SharedSamplers } from "./shared-samplers.ts";

test("a draw that begins when all have given the weights back is told so", () => {
  const shared = new SharedSamplers();
  shared.acquire("weights", () => new Promise<Sampler>(() => undefined));
  expect(shared.held("weights").retired).toBe(false);
  shared.release("weights");
  expect(() => shared.held("weights")).toThrow(
    expect.objectContaining({ code: "sampler-gone", category: "user" }),
  );
});
