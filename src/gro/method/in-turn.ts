import { userError } from "../../foundation/base/index.ts";
import type { Method } from "../method.ts";

/**
 * One method a round, in this order; the last one plays all rounds that are left. All must train the same roles, so that each
 * goes on from what the one before it made. Throws a user error `invalid-option` where they do not.
 *
 * @example
 * defineRun({ task: reverse(), optimize: inTurn(supervisedFineTuning(), rejectionSampling()) });
 */
export function inTurn(first: Method, ...rest: readonly Method[]): Method {
  const given = [first, ...rest];
  if (given.some((method) => typeof method?.lead !== "string"))
    throw userError(
      "invalid-option",
      "inTurn(): expected methods one after the other, such as inTurn(supervisedFineTuning(), rejectionSampling()).",
    );
  const methods = given.flatMap((method) => inTurnOf.get(method) ?? [method]);
  const last = methods.at(-1) as Method;
  const rolesOf = ({ roles, lead, deliver }: Method): string => JSON.stringify([roles, lead, deliver]);
  const other = methods.find((method) => rolesOf(method) !== rolesOf(first));
  if (other !== undefined)
    throw userError(
      "invalid-option",
      `inTurn(): ${first.name} trains ${first.roles.join(", ")} and ${other.name} trains ${other.roles.join(", ")}; methods that follow each other train the same roles.`,
    );
  const turns: Method = {
    ...last,
    name: methods.map(({ name }) => name).join(", then "),
    description: { inTurn: methods.map(({ name, description }) => ({ name, ...description })) },
    inRound: (round) => methods[round - 1] ?? last,
  };
  inTurnOf.set(turns, methods);
  return turns;
}

/** The methods of each that was made here: nested ones follow each other too. */
const inTurnOf = new WeakMap<Method, readonly Method[]>();

/** Methods in turn, with the first and the last of the rounds that each plays. */
export interface Turn {
  readonly method: Method;
  readonly rounds: readonly [first: number, last: number];
}

/** Which method plays which of so many rounds. */
export function turnsOf(method: Method, rounds: number): readonly Turn[] {
  const turns: Turn[] = [];
  for (let round = 1; round <= rounds; round++) {
    const playing = methodOf(method, round);
    const before = turns.at(-1);
    if (before?.method === playing)
      turns[turns.length - 1] = { method: playing, rounds: [before.rounds[0], round] };
    else turns.push({ method: playing, rounds: [round, round] });
  }
  return turns;
}

/** The method that plays a round, from 1. */
export function methodOf(method: Method, round: number): Method {
  return method.inRound?.(round) ?? method;
}
