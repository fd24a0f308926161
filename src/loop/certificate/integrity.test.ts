import { expect, test } from "vitest";
import { exactInterval } from "../../foundation/statistics/index.ts";
import { goodRound, goodTraining } from "../../lifecycle/guard/testing/evidence.ts";
import { integrityOf } from "./integrity.ts";

const share = (part: number, whole: number) => ({ value: part / whole, ...exactInterval(part, whole) });

test("the figures are those of the round's evidence, with exact intervals", () => {
  const { planted, labels, reward } = integrityOf(goodRound);
  expect(planted).toEqual({ right: { kept: 10, of: 10 }, wrong: { kept: 0, of: 30 } });
  expect(labels).toEqual({ judged: 500, right: 490 });
  const [phi, psi] = [share(490, 600), share(10, 400)];
  expect(reward).toEqual({
    learnsBy: "imitation",
    circular: false,
    answers: { right: { kept: 490, of: 600 }, wrong: { kept: 10, of: 400 } },
    phi,
    psi,
    wrong: share(400, 1000),
    breakdown: {
      value: phi.value / (phi.value + psi.value),
      low: phi.low / (phi.low + psi.high),
      high: phi.high / (phi.high + psi.low),
    },
  });
});

const nothing = { answers: null, phi: null, psi: null, wrong: null, breakdown: null };

test("nothing is measurable where only the reward judges, or nobody did", () => {
  const circular = integrityOf({ ...goodRound, training: { ...goodTraining, circular: true } });
  expect(circular.reward).toEqual({ learnsBy: "imitation", circular: true, ...nothing });
  const none = { right: 0, rightKept: 0, wrong: 0, wrongKept: 0, keptJudged: 0, keptRight: 0 };
  const unjudged = integrityOf({ ...goodRound, planted: null, training: { ...goodTraining, ...none } });
  expect(unjudged).toEqual({
    planted: null,
    labels: null,
    reward: { learnsBy: "imitation", circular: false, ...nothing },
  });
});

test("where no wrong answer was written, neither ψ nor p* is known", () => {
  const training = { ...goodTraining, right: 50, rightKept: 50, wrong: 0, wrongKept: 0 };
  const { reward } = integrityOf({ ...goodRound, training });
  expect(reward).toMatchObject({ phi: share(50, 50), psi: null, wrong: share(0, 50), breakdown: null });
});
