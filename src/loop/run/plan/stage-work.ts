/** A stage's work in tokens: what the model reads and writes, prompts included. */
export interface Work {
  readonly stage: "prepare" | "select" | "optimize" | "evaluate" | "decide" | "audit" | "baseline";
  readonly what: string;
  readonly tokensTrained: number;
  readonly tokensSampled: number;
  /** First and last of the rounds that have it, where not each has. */
  readonly rounds?: readonly [first: number, last: number];
  /** Processes that can share it. */
  readonly lanes: number;
}
