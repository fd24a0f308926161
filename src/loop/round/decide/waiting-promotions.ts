import { z } from "zod";
import { internalError } from "../../../foundation/base/index.ts";
import { type Decision, decisionSchema, type OversightAnswer } from "../../../foundation/contract/index.ts";
import { isOpen, questionNamed, questionsOf } from "../../oversight/index.ts";
import { answerEvent, hearAnswer } from "../ask.ts";
import { certifyAndAudit } from "../certify-and-audit.ts";
import { type RoundContext, shippedName } from "../context.ts";
import { decisionEvents } from "../decide.ts";
import { lastBegun } from "../last-begun.ts";
import { crowned, type RunState, type WaitingPromotion } from "../state.ts";
import { answeredDecision, promotionQuestion } from "./promotion-question.ts";

const settledSchema = z.object({
  decision: decisionSchema,
  /** The last round that was begun before: what is after it knows of the answer, and it does not. */
  after: z.number().int(),
});

/**
 * Takes in what was answered to promotions that rounds went on beside. One that is approved is promoted where the champion that it
 * was compared with is the champion still, and audited; a comparison with any other says nothing, and is given up as stale. Answers
 * are taken in between rounds: a round that was begun ends with the champion that it began with.
 */
export async function settleWaiting(context: RoundContext, state: RunState): Promise<RunState> {
  return settled(context, state, false);
}

/** The same where a cap has stopped the run, in the middle of a round too: what nobody has answered stays a question. */
export async function settleAnswered(context: RoundContext, state: RunState): Promise<RunState> {
  return settled(context, state, true);
}

/** The same where no round is left to play: what was not answered is waited for. */
export async function settleAll(context: RoundContext, before: RunState): Promise<RunState> {
  const { run, oversight } = context;
  const told = new Set<string>();
  for (let state = before; ; ) {
    state = await settled(context, state, true);
    const names = state.waiting.map(({ round }) => promotionQuestion(context, round));
    const open = questionsOf(run.events()).filter(
      (question) => names.includes(question.id) && isOpen(question),
    );
    if (open.length === 0) return state;
    for (const question of open.filter(({ id }) => !told.has(id))) {
      told.add(question.id);
      oversight.onQuestion?.(question, { goesOn: false });
    }
    await hearAnswer(context, names, "decide");
  }
}

async function settled(context: RoundContext, before: RunState, atEnd: boolean): Promise<RunState> {
  let state = before;
  for (const waiting of before.waiting) {
    const found = await settledOf(context, state, waiting, atEnd);
    if (found === null || (found.after !== state.round && !atEnd)) continue;
    state = { ...state, waiting: state.waiting.filter((other) => other !== waiting) };
    if (found.decision.decision === "promote") state = await promoteWaiting(context, state, waiting);
  }
  // Another champion makes stale what was looked at before it.
  return state.champion === before.champion ? state : settled(context, state, atEnd);
}

/** Why a round that goes on from a champion of before cannot be promoted; null where its champion is the champion still. */
export function whyStale({ run }: Pick<RoundContext, "run">, { waiting }: RunState): string | null {
  const promotedSince = waiting.find(({ round }) =>
    run.events().some(({ event }) => event.type === "candidate-promoted" && event.round === round),
  );
  return promotedSince === undefined ? null : staleWords(promotedSince.round);
}

function staleWords(round: number): string {
  return `round ${round} has become the champion meanwhile, and the comparison with the one before it is stale`;
}

/** What became of a question; null while nobody has answered, or where the champion was taken back. */
async function settledOf(
  context: RoundContext,
  state: RunState,
  waiting: WaitingPromotion,
  atEnd: boolean,
): Promise<z.infer<typeof settledSchema> | null> {
  const { run, ledger, watch } = context;
  const { round, candidate } = waiting;
  const question = promotionQuestion(context, round);
  const name = `round-${round}/answer`;
  const done = run.isFinished(name);
  const begun = lastBegun(run.events());
  // What a round that is under way began with stays until it ends.
  if (!done && begun > state.round && !atEnd) return null;
  const answer = done
    ? null
    : (answerTo(context, question) ?? (isStale(context, state, waiting) ? "stale" : null));
  if (!done && answer === null) return null;
  const { result, events } = await run.step(name, { question }, async () => {
    if (answer === null) throw internalError(`${name} was read and is gone`);
    const decision = finalDecision(context, state, waiting, answer);
    return {
      result: { decision, after: Math.max(begun, state.round) },
      events: [
        ...(answer === "stale" ? [] : [answerEvent(question, round, answer)]),
        ...decisionEvents(context, round, candidate, decision).map((event) => ({
          key: `${name}/${event.type}`,
          event,
        })),
      ],
    };
  });
  for (const event of events) watch(event);
  ledger.answers.remove(question);
  return settledSchema.parse(result);
}

/** An answer that is there; null where there is none, or none is needed any more. */
function answerTo({ run, ledger }: RoundContext, question: string): OversightAnswer | null {
  const asked = questionNamed(run.events(), question);
  if (asked === undefined || asked.givenUp) return null;
  return asked.answer === null ? (ledger.answers.find(question) ?? null) : { question, ...asked.answer };
}

function isStale(
  context: RoundContext,
  { champion }: RunState,
  { champion: compared }: WaitingPromotion,
): boolean {
  return shippedName(context, champion) !== shippedName(context, compared);
}

function finalDecision(
  context: RoundContext,
  state: RunState,
  waiting: WaitingPromotion,
  answer: OversightAnswer | "stale",
): Decision {
  const { decision } = waiting;
  const stale = isStale(context, state, waiting);
  if (!stale && answer !== "stale") return answeredDecision(decision, answer);
  if (answer !== "stale" && answer.answer === "reject") return answeredDecision(decision, answer);
  const approved = answer === "stale" ? "" : "a person approved it, but ";
  return {
    ...decision,
    decision: "reject",
    acted: true,
    reason: `${approved}${staleWords(state.champion.round)} (the gate said ${decision.reason})`,
  };
}

async function promoteWaiting(
  context: RoundContext,
  state: RunState,
  { round, candidate, champion, validation, evidence }: WaitingPromotion,
): Promise<RunState> {
  await certifyAndAudit(context, round, { candidate, champion, evidence });
  // Those that still wait were compared with the champion before.
  return { ...crowned(state, { lineage: candidate, validation }), waiting: state.waiting };
}
