import { z } from "zod";
import { type GeneratePart, samples } from "../../../../gro/generate/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { type RewardPart, verifier } from "../../../../gro/reward/index.ts";
import type { UpdatePart } from "../../../../gro/update/index.ts";
import { madeWithin } from "./made-items.ts";

/** The options of methods in which one model proposes problems, and learns to, and then solves them. */
export const proposeAndSolveOptions = {
  /** Times in a round that proposing and solving follow each other. */
  turns: z.number().int().min(1).default(8),
  /** Items of a turn, and proposals that are solved in it. */
  items: z.number().int().min(1).default(32),
  /** Proposals at each item. */
  proposals: z.number().int().min(2).default(4),
  /** Attempts that say how hard a proposal is. */
  attempts: z.number().int().min(2).default(8),
  /** Attempts at each proposal that are learnt from. */
  samples: z.number().int().min(2).default(8),
  learningRate: z.number().positive().default(3e-4),
  /** Of proposing: it moves the weights that solve, and its rewards say less. */
  proposerLearningRate: z.number().positive().default(3e-5),
};

export interface ProposeAndSolve {
  readonly name: string;
  readonly description: Method["description"];
  readonly read: Readonly<z.output<z.ZodObject<typeof proposeAndSolveOptions>>>;
  readonly propose: GeneratePart;
  /** What a proposal is worth. */
  readonly worth: RewardPart;
  /** How both are learnt, at a learning rate. */
  readonly learnt: (learningRate: number) => UpdatePart;
}

/** One model in both roles: a turn proposes and learns to, then solves what was proposed and learns to. */
export function proposeAndSolve({
  name,
  description,
  read,
  propose,
  worth,
  learnt,
}: ProposeAndSolve): Method {
  const pass = { roles: ["solver"], items: read.items, repeat: 1, start: "current" } as const;
  return {
    name,
    description,
    roles: ["solver"],
    lead: "solver",
    deliver: ["solver"],
    learnsBy: "policy-gradient",
    repeat: read.turns,
    passes: [
      { ...pass, generate: propose, reward: worth, update: learnt(read.proposerLearningRate) },
      {
        ...pass,
        ...madeWithin(0, 1),
        generate: samples({ samples: read.samples }),
        reward: verifier(),
        update: learnt(read.learningRate),
      },
    ],
  };
}
