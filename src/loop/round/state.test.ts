import { describe, expect, test } from "vitest";
import type { Decision, GuardFinding, ValidationMeasurement } from "../../foundation/contract/index.ts";
import { goodRound } from "../../lifecycle/guard/testing/evidence.ts";
import type { RunDefinition } from "./definition.ts";
import { remediesAfter } from "./remedies.ts";
import {
  firstState,
  lineageSchema,
  nextState,
  promoted,
  type RunState,
  rolledBack,
  startingPoint,
} from "./state.ts";
import { definitionOf, lineageOf } from "./testing/fake-context.ts";

const validationAt = (frontier90: number | null): ValidationMeasurement => ({
  weightVersion: "v",
  split: "validation",
  strata: [],
  mean: 0.5,
  interval: { low: 0, high: 1 },
  frontier90,
  frontier50: null,
});
const decided = (decision: Decision["decision"], acted = true): Decision => ({
  decision,
  reason: "",
  opening: null,
  acted,
});
const says = (answer: GuardFinding["answer"]): GuardFinding => ({
  guard: "labels",
  answer,
  evidence: "half are wrong",
  value: 0.4,
  threshold: 0.5,
});

/** Plays rounds of which each is a decision and what the guards say; candidates are named by their round. */
const play = (
  rounds: readonly { decision: Decision; findings?: readonly GuardFinding[] }[],
  definition: Partial<RunDefinition> = {},
): RunState[] => {
  const states = [firstState(lineageOf("base"), validationAt(8))];
  for (const { decision, findings = [] } of rounds) {
    const before = states.at(-1) as RunState;
    const round = before.round + 1;
    states.push(
      nextState(before, {
        candidate: lineageOf(`round-${round}`, { round }),
        validation: validationAt(8 + round),
        findings,
        decision,
        evidence: goodRound,
        definition: definitionOf(definition),
      }),
    );
  }
  return states;
};
/** Where each round starts: `from checkpoint`. */
const starts = (states: readonly RunState[]): string[] =>
  states.map((state) => {
    const { lineage, from } = startingPoint(state);
    return `${from} ${lineage.checkpoints.solver}`;
  });
const rejected = { decision: decided("reject") };
const promotion = { decision: decided("promote") };

test("a candidate that a person is asked about waits, with what it was compared with, and rounds go on from the champion", () => {
  const asked = { decision: decided("ask", false) };
  const states = play([promotion, rejected, asked, rejected]);
  expect(starts(states).slice(1)).toEqual([
    "champion round-1",
    "candidate round-2",
    "champion round-1",
    "candidate round-4",
  ]);
  const { waiting, champion, frontier } = states[3] as RunState;
  expect(frontier).toBe(9);
  expect(waiting).toMatchObject([{ round: 3, candidate: lineageOf("round-3", { round: 3 }), champion }]);
  expect(states[4]?.waiting).toEqual(waiting);
});

describe("a champion that a person takes back", () => {
  test("is what the next round starts from; what was tried since, and a guard's stop, are given up", () => {
    const stop = { decision: decided("reject"), findings: [says("stop")] };
    const states = play([promotion, promotion, rejected, stop]);
    const last = states.at(-1) as RunState;
    expect(last).toMatchObject({ rejections: 2, stopped: "labels: half are wrong" });
    const first = { lineage: (states[1] as RunState).champion, validation: validationAt(9) };
    const after = rolledBack(last, first);
    expect(after).toMatchObject({ round: 4, candidate: null, rejections: 0, frontier: 9, stopped: null });
    expect(starts([after])).toEqual(["champion round-1"]);
    expect(starts([rolledBack(last, { lineage: last.base, validation: validationAt(8) })])).toEqual([
      "base base",
    ]);
  });
});

describe("the state of a run", () => {
  test("begins with the base as its champion", () => {
    const [first] = play([]);
    expect(first).toMatchObject({ round: 0, candidate: null, rejections: 0, frontier: 8, stopped: null });
    expect(starts([first as RunState])).toEqual(["base base"]);
  });

  test("a promoted candidate is the champion that the next round starts from", () => {
    const states = play([promotion, promotion]);
    expect(starts(states)).toEqual(["base base", "champion round-1", "champion round-2"]);
    expect(states[2]).toMatchObject({
      round: 2,
      champion: { round: 2 },
      championValidation: { frontier90: 10 },
      frontier: 10,
    });
    expect(states[2]?.base.checkpoints.solver).toBe("base");
  });

  test("three rejected candidates in a row are gone on from, then it is the champion's turn", () => {
    const states = play([promotion, rejected, rejected, rejected, rejected, rejected]);
    expect(starts(states)).toEqual([
      "base base",
      "champion round-1",
      "candidate round-2",
      "candidate round-3",
      "candidate round-4",
      "champion round-1",
      "candidate round-6",
    ]);
    expect(states.map(({ rejections }) => rejections)).toEqual([0, 0, 1, 2, 3, 0, 1]);
    // The frontier is always that of what the next round starts from.
    expect(states.map(({ frontier }) => frontier)).toEqual([8, 9, 10, 11, 12, 9, 14]);
  });

  test("a promotion ends a row of rejections", () => {
    const states = play([rejected, rejected, promotion, rejected, rejected, rejected]);
    expect(starts(states).slice(3)).toEqual([
      "champion round-3",
      "candidate round-4",
      "candidate round-5",
      "candidate round-6",
    ]);
  });

  test("a run may return to its champion at once", () => {
    const states = play([rejected, promotion, rejected], { afterReject: "champion" });
    expect(starts(states)).toEqual(["base base", "base base", "champion round-2", "champion round-2"]);
    expect(states[3]?.frontier).toBe(10);
  });

  test("a roll-back gives the candidate up and does not stop", () => {
    const states = play([
      rejected,
      { decision: decided("roll-back"), findings: [says("roll-back")] },
      rejected,
    ]);
    expect(starts(states)).toEqual(["base base", "candidate round-1", "base base", "candidate round-3"]);
    expect(states[2]).toMatchObject({ stopped: null, rejections: 0, frontier: 8 });
  });

  test("a guard that stops, stops, and says why", () => {
    const [, state] = play([{ ...rejected, findings: [says("warn"), says("stop")] }]);
    expect(state?.stopped).toBe("labels: half are wrong");
    expect(play([{ ...rejected, findings: [says("warn")] }])[1]?.stopped).toBeNull();
    const [, both] = play([{ decision: decided("roll-back"), findings: [says("stop"), says("roll-back")] }]);
    expect(both).toMatchObject({ candidate: null, stopped: "labels: half are wrong" });
  });

  test("a gate that observes promotes nothing, gives nothing up, and no guard stops it", () => {
    const observed = (decision: Decision["decision"]) => ({
      decision: decided(decision, false),
      findings: [says("stop"), says("roll-back")],
    });
    const states = play(
      ["reject", "promote", "reject", "roll-back", "reject", "reject"].map((one) =>
        observed(one as "reject"),
      ),
    );
    expect(starts(states).slice(1)).toEqual([1, 2, 3, 4, 5, 6].map((round) => `candidate round-${round}`));
    for (const { champion, stopped, rejections } of states)
      expect({ champion: champion.checkpoints.solver, stopped, rejections }).toEqual({
        champion: "base",
        stopped: null,
        rejections: 0,
      });
    expect(states.at(-1)?.frontier).toBe(14);
  });
});

test("only a promotion that is acted on promotes", () => {
  expect(promoted(decided("promote"))).toBe(true);
  expect(promoted(decided("promote", false))).toBe(false);
  expect(promoted(decided("reject"))).toBe(false);
});

test("a lineage can be stored", () => {
  const lineage = lineageOf("x", { round: 2, rollouts: ["a"], selections: ["b"] });
  expect(lineageSchema.parse(JSON.parse(JSON.stringify(lineage)))).toEqual(lineage);
});

describe("remedies", () => {
  const asks = (remedy: GuardFinding["remedy"]): GuardFinding => ({
    ...says("warn"),
    ...(remedy === undefined ? {} : { remedy }),
  });
  const remediesOf = (states: readonly RunState[]) => states.map(({ remedies }) => remedies);

  test("what guards ask for is done in the rounds to come, more of it each time, up to eightfold", () => {
    const none = { learningRate: 1, realData: 1 };
    const once = remediesAfter(none, [asks("lower-learning-rate"), asks(undefined)]);
    expect(once).toEqual({ learningRate: 0.5, realData: 1 });
    // Two guards that ask for one thing in a round ask for it once.
    expect(remediesAfter(once, [asks("add-real-data"), asks("add-real-data")])).toEqual({
      learningRate: 0.5,
      realData: 2,
    });
    let most = none;
    for (let time = 0; time < 9; time++)
      most = remediesAfter(most, [asks("lower-learning-rate"), asks("add-real-data")]);
    expect(most).toEqual({ learningRate: 1 / 8, realData: 8 });
  });

  test("they outlast promotions, rejections and roll-backs, and a gate that observes asks for none", () => {
    const asking = [asks("lower-learning-rate")];
    const [, rejected, promotedAfter, rolled] = remediesOf(
      play([
        { decision: decided("reject"), findings: asking },
        { decision: decided("promote") },
        { decision: decided("roll-back"), findings: asking },
      ]),
    );
    expect([rejected, promotedAfter, rolled].map((one) => one?.learningRate)).toEqual([0.5, 0.5, 0.25]);
    const [, observed] = remediesOf(play([{ decision: decided("reject", false), findings: asking }]));
    expect(observed).toEqual({ learningRate: 1, realData: 1 });
  });
});
