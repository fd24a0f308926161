import { z } from "zod";
import type { GeneratePart } from "../generate/index.ts";
import type { RewardPart } from "../reward/index.ts";
import type { UpdatePart } from "../update/index.ts";

function partWith<T>(member: string, example: string): z.ZodCustom<T, T> {
  return z.custom<T>(
    (value) =>
      typeof value === "object" && value !== null && typeof Reflect.get(value, member) === "function",
    `expected a part that can ${member}, such as ${example}`,
  );
}

/** For the options of methods: a part of each kind. */
export const generatePart = partWith<GeneratePart>("generate", "greedy()");
export const rewardPart = partWith<RewardPart>("reward", "verifier()");
export const updatePart = partWith<UpdatePart>("update", "supervised()");
