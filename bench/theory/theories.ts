import { bestOfNKl } from "./best-of-n-kl.ts";
import { curation } from "./curation.ts";
import { gaussian } from "./gaussian.ts";
import { regression } from "./regression.ts";
import { sharpening } from "./sharpening.ts";
import { tails } from "./tails.ts";
import type { Theory } from "./theory.ts";
import { verifier } from "./verifier.ts";

/** All results, by name; made when they are wanted, as some must ask an engine first. */
export const theories: Readonly<Record<string, () => Theory | Promise<Theory>>> = {
  regression: () => regression,
  gaussian: () => gaussian,
  tails: () => tails,
  verifier: () => verifier,
  curation: () => curation,
  sharpening,
  "best-of-n-kl": () => bestOfNKl,
};
