import type { Verifier } from "../../../foundation/contract/index.ts";
import { right, wrong } from "../exact-answer.ts";
import type { ChosenVerifier } from "./choose-verifier.ts";

const exact = (): Verifier => ({
  name: "exact",
  version: 1,
  verify: ({ answer }, { text, complete }) => (complete && text.trim() === answer?.trim() ? right : wrong),
});

export const verifiers: Readonly<Record<ChosenVerifier, () => Verifier>> = {
  numeric: exact,
  multipleChoice: exact,
  exact,
};
