import { createHash } from "node:crypto";
import { openLedger } from "../../src/foundation/ledger/index.ts";

export interface LargeLedger {
  /** Different examples. */
  readonly examples: number;
  /** One of a model's, and one that no model wrote: its identity, its prompt and its answer. */
  readonly written: { readonly id: string; readonly prompt: string; readonly answer: string };
  /** Seconds that it took to record them all. */
  readonly seconds: number;
}

const rounds = 8;
const roles = ["solver", "peer"] as const;

/**
 * Makes a ledger in a folder as a run of eight rounds and two roles would leave it, with so many examples: half of every round's
 * are lines of a file, the rest answers that both roles wrote in that round and the one before it. The preparation is a round like
 * the others.
 */
export async function makeLargeLedger(folder: string, examples: number): Promise<LargeLedger> {
  using ledger = openLedger({ folder });
  const run = ledger.startRun({
    name: "large",
    configHash: "c".repeat(64),
    description: null,
    seed: 0,
    origin: null,
  });
  const each = Math.ceil(examples / ((rounds + 1) * roles.length));
  const checkpointOf = (role: string, round: number): string => `${run.id}/round-${round}-${role}-100`;
  const rolloutsOf = (round: number): string => digest(`rollouts ${round}`, 64);
  let made = 0;
  let seconds = 0;
  let written: LargeLedger["written"] | undefined;
  for (let round = 0; round <= rounds; round++) {
    const lineage: string[] = [];
    for (const role of roles) {
      const trained = Array.from({ length: each }, (_, place) => {
        const number = made++;
        const [prompt, answer] = [
          `What is ${number} + ${number % 977}?`,
          `It is ${number + (number % 977)}.`,
        ];
        const byModel = round > 0 && place % 2 === 1;
        const own = place % 4 === 1 || round === 1;
        const one = { id: digest(`${number}`, 32), prompt, answer };
        if (byModel) written ??= one;
        return {
          ...one,
          times: 1 + (number % 3),
          tokens: 8,
          item: prompt,
          source: `questions.jsonl:${number + 1}`,
          writer: byModel
            ? {
                role: roles[number % 2 === 0 ? 0 : 1],
                sample: 0,
                artifact: rolloutsOf(own ? round : round - 1),
                group: place,
                rollout: 0,
                stepsAfter: 0,
              }
            : null,
        };
      });
      const from = round === 0 ? `${run.id}/round-0-${role}-0` : checkpointOf(role, round - 1);
      const writers = Object.fromEntries(roles.map((one) => [one, checkpointOf(one, round - 1)]));
      const began = performance.now();
      lineage.push(
        await ledger.lineage.record(
          {
            run: run.id,
            round,
            stage: round === 0 ? "prepare" : "optimize",
            role,
            part: round === 0 ? "prepare" : "pass-0",
            steps: [0, 100],
            checkpoint: checkpointOf(role, round),
            from,
            method: "rejection sampling",
            reward: round === 0 ? null : "agreement",
            task: { name: "questions", version: 1 },
            verifier: { name: "exact answer", version: 1, hash: digest("verifier", 64) },
            rollouts: round === 0 ? null : rolloutsOf(round),
            writers: round === 0 ? {} : writers,
          },
          trained,
        ),
      );
      seconds += (performance.now() - began) / 1000;
    }
    const checkpoint = checkpointOf("solver", round);
    run.append(
      `round-${round}/trained`,
      round === 0
        ? { type: "model-prepared", round, checkpoint, lineage }
        : { type: "training-finished", round, checkpoint, evidence: {}, lineage },
    );
  }
  if (written === undefined) throw new Error("no example was written by a model");
  return { examples: made, written, seconds };
}

function digest(text: string, length: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, length);
}
