import type { z } from "zod";
import type { Method } from "../../gro/method.ts";

/** The survey's three paradigms of self-training (arXiv 2603.25681, §4), and what stands beside them. */
export type Paradigm =
  | "rejection sampling"
  | "self-verification"
  | "self-play"
  | "reinforcement"
  | "supervised"
  | "beyond";

/** A method from a paper, as `whetstone methods show` tells of it. */
export interface MethodPage {
  /** The name that is asked for: `rest-em`. */
  readonly name: string;
  /** As its paper writes it: `ReST-EM`. */
  readonly title: string;
  readonly paradigm: Paradigm;
  /** What its reward must come from: something outside the model, or the model's own outputs. */
  readonly reward: "external" | "self-derived" | "none";
  /** What it does, in one sentence. */
  readonly summary: string;
  /** What it optimises, one line each. */
  readonly formula: string;
  /** arXiv number, and the section, algorithm or equation. */
  readonly source: string;
  /** False where the formula could be compared with neither the paper's text nor its code: built from its description, with no claim to equality. */
  readonly checked: boolean;
  /** Where it leaves the paper, in one line; nothing that anybody knows of if left out. */
  readonly differs?: string;
  /** What a call may say. */
  readonly options: z.ZodObject;
  /** The method as it is by default. */
  readonly make: () => Method;
  /** The role that ranks candidates at inference, where one is delivered for that: `refine: bestOfN({ by })`. */
  readonly ranksBy?: string;
  /** Calls that vary it, each with what it changes. */
  readonly vary: readonly (readonly [call: string, what: string])[];
}
