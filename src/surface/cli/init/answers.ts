/** The tasks that `init` can write a config for. */
export const taskNames = ["reverse", "addition", "parity"] as const;
export type TaskChoice = (typeof taskNames)[number];

/** Models from random weights; anything else is a name, or a path. */
export const modelSizes = ["tiny", "small"] as const;
export type ModelSize = (typeof modelSizes)[number];

export type ModelChoice =
  | { readonly kind: "scratch"; readonly size: ModelSize }
  /** As it is written into the config: relative to its folder where it can be. */
  | { readonly kind: "folder"; readonly path: string }
  /** One that is fetched by its name, or was brought here under it. */
  | { readonly kind: "named"; readonly name: string };

export interface Answers {
  readonly task: TaskChoice;
  readonly model: ModelChoice;
  readonly rounds: number;
}

export const mostRounds = 1000;
