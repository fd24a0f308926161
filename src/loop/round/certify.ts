import { z } from "zod";
import { internalError, type Json } from "../../foundation/base/index.ts";
import type { EventOf, RunEventType, StepEvidence, StoredEvent } from "../../foundation/contract/index.ts";
import { spentAt } from "../../foundation/statistics/index.ts";
import { certificateName, certificateText } from "../certificate/file.ts";
import { integrityOf } from "../certificate/integrity.ts";
import { itemsRowSchema, resultsRowSchema } from "../certificate/rows.ts";
import {
  type Audited,
  auditedSchema,
  type Certificate,
  certificateSchema,
  type Decided,
} from "../certificate/schema.ts";
import { isSealed } from "../certificate/sealing.ts";
import { sealed } from "../certificate/seals.ts";
import { questionsOf } from "../oversight/index.ts";
import { leadCheckpoint, type RoundContext } from "./context.ts";
import { decisionItemsOf } from "./decide/block-parts.ts";
import { digestFact, weightsDigest } from "./folder-digest.ts";
import { protocolOf } from "./protocol.ts";
import type { Lineage } from "./state.ts";

export interface Promotion {
  readonly candidate: Lineage;
  /** The champion before it. */
  readonly champion: Lineage;
  /** What the guards were shown of the candidate's training. */
  readonly evidence: StepEvidence;
}

/** Writes the certificate of a round that was promoted, once its decision is stored. Of rounds of before evidence was kept there is none. */
export async function certify(context: RoundContext, round: number, promotion: Promotion): Promise<void> {
  const events = context.run.events();
  const made = eventOf(events, "decision-made", round);
  // A promotion that a person approved was decided twice: the first time it was measured.
  const evidence = events
    .flatMap(({ event }) => (event.type === "decision-made" && event.round === round ? [event.evidence] : []))
    .findLast((stored) => stored !== undefined);
  if (made === undefined || evidence === undefined) return;
  await certificateStep(context, round, {
    name: `round-${round}/certificate`,
    input: { ...evidence },
    make: async () => sealed(await decidedOf(context, round, promotion, { ...made, evidence }), []),
  });
}

/** Adds the newest audit of these weights to the certificate of the round that made them, where it has one. */
export async function certifyAudit(
  context: RoundContext,
  { round, checkpoint }: { readonly round: number; readonly checkpoint: string },
  comparison: Audited["comparison"],
): Promise<void> {
  const events = context.run.events();
  const known = eventOf(events, "certificate-made", round);
  const audit = events.findLast(
    ({ event }) =>
      event.type === "audit-measured" &&
      event.comparison === comparison &&
      event.after.weightVersion === checkpoint,
  )?.event as EventOf<"audit-measured"> | undefined;
  const evidence = audit?.evidence;
  if (known === undefined || audit === undefined || evidence === undefined) return;
  await certificateStep(context, round, {
    name: `round-${round}/certificate-${comparison}-${evidence.slice(0, 12)}`,
    input: { certificate: known.hash, evidence },
    make: async () => {
      const { decided, audits, version } = await readCertificate(context.ledger.artifacts, known.certificate);
      const { before, after, gain } = audit;
      const added = auditedSchema.parse({
        comparison,
        before: before.weightVersion,
        after: after.weightVersion,
        strata: await context.ledger.artifacts.read(evidence),
        gain,
      });
      return sealed(decided, [...audits.filter((other) => other.comparison !== comparison), added], version);
    },
  });
}

interface CertificateStep {
  readonly name: string;
  readonly input: Json;
  readonly make: () => Promise<Certificate>;
}

/** Stored once, with the event that says so; the file is a copy for people. */
async function certificateStep(
  context: RoundContext,
  round: number,
  { name, input, make }: CertificateStep,
): Promise<void> {
  const { run, ledger } = context;
  context.safePoint();
  const { events } = await run.step<string>(name, input, async () => {
    const certificate = await make();
    const artifact = await ledger.artifacts.put([certificate as unknown as Json]);
    ledger.writeCertificate(
      certificateName(run.id, round),
      `${certificateText(certificate as unknown as Json)}\n`,
    );
    const audits = certificate.audits.map(({ comparison }) => comparison);
    return {
      result: artifact,
      events: [
        {
          key: name,
          event: { type: "certificate-made", round, certificate: artifact, hash: certificate.hash, audits },
        },
      ],
    };
  });
  for (const event of events) context.watch(event);
}

/** Throws `artifact-missing` and `artifact-damaged`. */
export async function readCertificate(
  artifacts: { read(artifact: string): Promise<Json[]> },
  artifact: string,
): Promise<Certificate> {
  const [row] = await artifacts.read(artifact);
  return certificateSchema.parse(row);
}

async function decidedOf(
  context: RoundContext,
  round: number,
  { candidate, champion, evidence: shown }: Promotion,
  {
    decision,
    seed,
    evidence,
  }: EventOf<"decision-made"> & { readonly evidence: { readonly items: string; readonly results: string } },
): Promise<Decided> {
  const { definition, run, ledger, capabilities } = context;
  const { opening, reason, probes = [] } = decision;
  const events = run.events();
  const started = eventOf(events, "run-started");
  const begun = eventOf(events, "round-started", round);
  if (opening === null || started === undefined || begun === undefined)
    throw internalError(`round ${round} was promoted without an opening`);
  const items = z.array(itemsRowSchema).parse(await ledger.artifacts.read(evidence.items));
  const results = z.array(resultsRowSchema).parse(await ledger.artifacts.read(evidence.results));
  return {
    run: { id: run.id, name: definition.name, round },
    made: {
      whetstone: started.version,
      node: process.version,
      engine: capabilities.engine,
      device: capabilities.device,
    },
    seed: { hash: begun.seedHash, value: seed },
    configuration: {
      hash: started.configHash,
      description: run.record.description as Decided["configuration"]["description"],
    },
    protocol: {
      hash: started.protocolHash,
      content: protocolOf(definition) as Decided["protocol"]["content"],
    },
    opening,
    decision: { decision: "promote", reason },
    guards: eventOf(events, "guards-spoke", round)?.findings ?? [],
    probes,
    items: {
      blocks: items.flatMap((row) => (row.probe === undefined ? [row.items] : [])),
      probes: items.flatMap(({ probe, items: own }) => (probe === undefined ? [] : [{ probe, items: own }])),
    },
    // Results on probes' reused items leave no more than those on the gate's.
    results: { commitment: evidence.results, rows: isSealed({ opening, probes }) ? null : results },
    history: historyOf(context, opening.opening),
    opened: openedBefore(context),
    weights: {
      champion: await weightsOf(context, leadCheckpoint(context, champion)),
      candidate: await weightsOf(context, leadCheckpoint(context, candidate)),
      ...(await askedWeights(context, candidate, champion)),
    },
    data: { selections: [...candidate.selections], rollouts: [...candidate.rollouts] },
    integrity: integrityOf(shown),
    previous: previousOf(context),
  };
}

/** Every run is stored with its α, which is edited only by another run. */
const describedGate = z.looseObject({ gate: z.looseObject({ alpha: z.number().positive() }) });

/** The openings on these items before this one, over all runs of the folder, each with its one bit and what it spent. */
function historyOf({ ledger, run, definition }: RoundContext, opening: number): Decided["history"] {
  const known = new Map<string, readonly StoredEvent[]>([[run.id, run.events()]]);
  const eventsOf = (id: string): readonly StoredEvent[] => {
    const record = ledger.runs().find((one) => one.id === id);
    const events = known.get(id) ?? (record === undefined ? [] : ledger.openRun(record).events());
    known.set(id, events);
    return events;
  };
  return ledger.openingsOn(decisionItemsOf(definition.task)).flatMap(({ number, owner }) => {
    const [, id = owner, round = "0"] = /^(.*)\/round-(\d+)$/.exec(owner) ?? [];
    if (number >= opening) return [];
    const bit = bitOf(eventsOf(id), Number(round));
    const tested = describedGate.safeParse(ledger.runs().find((one) => one.id === id)?.description);
    const spent = tested.success ? spentAt(number, tested.data.gate.alpha) : null;
    return [{ opening: number, run: id, round: Number(round), ...bit, spent }];
  });
}

/** What left the gate, to whoever heard it: a person whom it asks has heard "better", whatever they answer. */
function bitOf(
  events: readonly StoredEvent[],
  round: number,
): Pick<Decided["history"][number], "promoted" | "heldBack"> {
  const decisions = events.flatMap(({ event }) =>
    event.type === "decision-made" && event.round === round ? [event.decision] : [],
  );
  const [first] = decisions;
  const last = decisions.at(-1);
  if (first === undefined || last === undefined) return { promoted: null, heldBack: null };
  if (first.decision !== "promote" && first.decision !== "ask") return { promoted: false, heldBack: null };
  if (last.decision === "promote") return { promoted: true, heldBack: last.acted ? null : "recorded" };
  const asked = questionsOf(events).find((one) => one.about === "promotion" && one.round === round);
  if (asked?.answer?.answer === "reject") return { promoted: true, heldBack: "person" };
  return { promoted: true, heldBack: last.decision === "ask" && !asked?.givenUp ? "waits" : "stale" };
}

/** Results on the same items that a person looked at. */
function openedBefore({ ledger, definition }: RoundContext): Decided["opened"] {
  const items = decisionItemsOf(definition.task);
  return ledger.runs().flatMap((record) =>
    ledger
      .openRun(record)
      .events()
      .flatMap(({ event }) =>
        event.type === "certificate-opened" && event.items === items
          ? [{ opening: event.opening, run: record.id, round: event.round, reason: event.reason }]
          : [],
      ),
  );
}

/** The newest certificate of the folder, of whichever run. */
function previousOf({ ledger }: RoundContext): Decided["previous"] {
  const made = ledger.runs().flatMap((record) =>
    ledger
      .openRun(record)
      .events()
      .flatMap(({ id, event }) =>
        event.type === "certificate-made"
          ? [{ id, run: record.id, round: event.round, hash: event.hash }]
          : [],
      ),
  );
  const newest = made.toSorted((a, b) => a.id - b.id).at(-1);
  if (newest === undefined) return null;
  const { run, round, hash } = newest;
  return { run, round, hash };
}

async function weightsOf({ ledger }: RoundContext, checkpoint: string) {
  const files = ledger.getFact(digestFact(checkpoint));
  return {
    checkpoint,
    files: typeof files === "string" ? files : null,
    weights: await weightsDigest(ledger.checkpointPath(checkpoint)),
  };
}

async function askedWeights(
  context: RoundContext,
  candidate: Lineage,
  champion: Lineage,
): Promise<Pick<Decided["weights"], "asked">> {
  const { asks = [] } = context.definition.refine;
  if (asks.length === 0) return {};
  const asked = asks.map(async (role) => ({
    role,
    champion: await weightsOf(context, champion.checkpoints[role] ?? ""),
    candidate: await weightsOf(context, candidate.checkpoints[role] ?? ""),
  }));
  return { asked: await Promise.all(asked) };
}

/** The newest event of a type, of a round where one is given. */
export function eventOf<T extends RunEventType>(
  events: readonly StoredEvent[],
  type: T,
  round?: number,
): EventOf<T> | undefined {
  return events.findLast(
    ({ event }) =>
      event.type === type && (round === undefined || !("round" in event) || event.round === round),
  )?.event as EventOf<T> | undefined;
}
