import { existsSync } from "node:fs";
import { join } from "node:path";
import { isWhetstoneError, userError } from "../../../foundation/base/index.ts";
import type { Engine, Precision, SamplingPolicy, Tokenizer } from "../../../foundation/contract/index.ts";
import { ledgerFolder, readLedger } from "../../../foundation/ledger/index.ts";
import { loadTokenizer } from "../../../model/text/index.ts";
import { type Claim, type Contradiction, claim } from "../../certificate/claim.ts";
import { type GateOf, gateOf } from "../../certificate/gate-of.ts";
import type { Certificate, Decided } from "../../certificate/schema.ts";
import { commitmentOf } from "../../certificate/seals.ts";
import { openGate } from "../../gate.ts";
import { openProbe } from "../../probes.ts";
import { type Blocks, decisionItemsOf, planBlocks } from "../../round/decide/block-parts.ts";
import {
  type AnsweredBlock,
  answeredBlocks,
  type BlocksContext,
  type BlocksRequest,
} from "../../round/decide/blocks.ts";
import { rowsOf } from "../../round/decide/evidence.ts";
import type { RunDefinition } from "../../round/definition.ts";
import { folderDigest, weightsDigest } from "../../round/folder-digest.ts";
import type { Lineage } from "../../round/state.ts";
import { protocolHash } from "../describe.ts";
import { lendVerifier } from "../lend-verifier.ts";
import { needsOf } from "../listed-items.ts";
import { StatedOrder } from "./stated-order.ts";

export interface ReplayRequest {
  readonly certificate: Certificate;
  readonly definition: RunDefinition;
  /** The project folder: its config made the definition; its checkpoints and its ledger are used where they are there. */
  readonly folder: string;
  /** Folders with weights, such as exported ones. */
  readonly weights: readonly string[];
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Draws the items of a certificate again from its seed, lets freshly loaded weights answer them, and compares. Throws user
 * errors `other-protocol`, where the definition measures something else, and `weights-missing`.
 */
export async function replayClaims(request: ReplayRequest): Promise<Claim[]> {
  const { certificate, definition, folder, signal } = request;
  const { decided } = certificate;
  const gate = gateOf(decided);
  if (gate === undefined || protocolHash(definition) !== decided.protocol.hash)
    throw userError(
      "other-protocol",
      `The configuration in ${folder} measures something else than the certificate (its protocol is ${protocolHash(definition)}): name the folder whose run made it, and give its parameters.`,
      { path: folder },
    );
  const { weights } = decided;
  const champion = await findWeights(request, weights.champion, "champion");
  const candidate = await findWeights(request, weights.candidate, "candidate");
  const asked: FoundWeights[] = [];
  for (const one of weights.asked ?? [])
    for (const who of ["champion", "candidate"] as const)
      asked.push(await findWeights(request, one[who], `${who}'s ${one.role}`));
  await using _verifier = lendVerifier(definition.task, folder);
  await using engine = await definition.engine.open({
    logFolder: join(ledgerFolder(folder), "logs"),
    ...(signal ? { signal } : {}),
  });
  using reader = readLedger({ folder });
  const ledger = reader?.runs().some(({ id }) => id === decided.run.id) === true ? reader : undefined;
  const blocks = planBlocks(definition.task, definition.gate, { reusedBefore: decided.opening.reused });
  if ("obstacle" in blocks) throw userError("other-protocol", `${blocks.obstacle}: ${blocks.advice}.`);
  const stated = new StatedOrder(decided, definition.task, blocks);
  const found = new Map([champion, candidate, ...asked].map((one) => [one.name, one]));
  const used: BlocksContext["ledger"] = {
    useItems: (_items, _owner, canonicals) => stated.use(canonicals),
    usedByOthers: (items, owner) => ledger?.usedByOthers(items, owner) ?? stated.passedOver(items, owner),
  };
  const context = twinOf(request, used, found, engine);
  try {
    const measured = await measureAgain(request, context, { gate, blocks });
    const { engine: engineName, device } = await engine.capabilities();
    const alike = decided.made.engine === engineName && decided.made.device === device;
    return [
      claim(
        "replay-weights",
        "verified",
        `the weights that answered again have the hashes that are stated (${champion.path}, ${candidate.path})`,
        ["decided.weights"],
      ),
      ...compared(decided, measured, { alike, passed: ledger === undefined ? stated.passed : null }),
    ];
  } finally {
    await context.close();
  }
}

interface FoundWeights {
  /** The checkpoint's name in the certificate. */
  readonly name: string;
  readonly path: string;
  readonly kind: "checkpoint" | "folder";
}

/** The folder whose weights have the hash that is stated: a checkpoint of the project, or one of those that were given. */
async function findWeights(
  { folder, weights }: Pick<ReplayRequest, "folder" | "weights">,
  stated: Decided["weights"]["champion"],
  who: string,
): Promise<FoundWeights> {
  const own = join(ledgerFolder(folder), "checkpoints", stated.checkpoint);
  for (const path of [own, ...weights]) {
    if (!existsSync(path)) continue;
    const whole = stated.files !== null && (await folderDigest(path)) === stated.files;
    const alone = stated.weights !== null && (await weightsDigest(path)) === stated.weights;
    if (!whole && !alone) continue;
    const kind = existsSync(join(path, "whetstone.json")) || whole ? "checkpoint" : "folder";
    return { name: stated.checkpoint, path, kind };
  }
  throw userError(
    "weights-missing",
    `The ${who}'s weights (${stated.checkpoint}, SHA-256 ${stated.weights ?? stated.files ?? "unknown"}) are not in ${folder} nor in any folder that was given: name one with --weights.`,
    { checkpoint: stated.checkpoint },
  );
}

interface LoadedPolicy {
  readonly policy: SamplingPolicy;
  readonly close: () => Promise<void>;
}

/** What a round works with, over nothing but the certificate: nothing is stored, and each model is loaded anew. */
function twinOf(
  { certificate, definition, folder, signal }: ReplayRequest,
  ledger: BlocksContext["ledger"],
  found: ReadonlyMap<string, FoundWeights>,
  engine: Engine,
): BlocksContext & { readonly close: () => Promise<void> } {
  const { description } = certificate.decided.configuration;
  const precision = (description.precision ?? definition.precision) as Precision;
  const loaded = new Map<string, Promise<LoadedPolicy>>();
  const load = async (role: string, { path, kind }: FoundWeights): Promise<LoadedPolicy> => {
    const tokenizer = await tokenizerOf(definition, folder, { path, kind });
    const sampler = await engine.loadSampler({
      source: kind === "checkpoint" ? { kind, path, optimizer: false } : { kind, path },
      precision,
      tokenBytes: tokenizer.tokenBytes(),
    });
    return { policy: { role, sampler, tokenizer }, close: async () => await sampler[Symbol.asyncDispose]() };
  };
  return {
    definition: { ...definition, seed: Number(description.seed ?? definition.seed), precision },
    ...(signal ? { signal } : {}),
    safePoint: () => signal?.throwIfAborted(),
    withinBudget: () => {},
    run: { step: async (_name, _input, work) => ({ result: (await work()).result, events: [] }) },
    ledger,
    samplers: {
      get: async (role, checkpoint) => {
        const weights = found.get(checkpoint);
        if (weights === undefined) throw new Error(`${checkpoint} is not replayed`);
        const known = loaded.get(checkpoint) ?? load(role, weights);
        loaded.set(checkpoint, known);
        // Roles that begin alike have one checkpoint.
        return { ...(await known).policy, role };
      },
    },
    close: async () => {
      for (const one of loaded.values())
        await one.then(
          ({ close }) => close(),
          () => undefined,
        );
    },
  };
}

/** The run's own weights speak as in the run; exported ones as their folder says. */
async function tokenizerOf(
  definition: RunDefinition,
  folder: string,
  { path, kind }: Pick<FoundWeights, "path" | "kind">,
): Promise<Tokenizer> {
  if (kind === "folder") return await loadTokenizer(path);
  const models = join(ledgerFolder(folder), "models");
  return (await definition.model.prepare(models, needsOf(definition.task, folder))).tokenizer;
}

interface MeasuredAgain {
  readonly blocks: readonly AnsweredBlock[];
  readonly probes: readonly { readonly stratum: string; readonly blocks: readonly AnsweredBlock[] }[];
  readonly better: boolean;
  readonly smallestGain: number;
}

/** Null where the seed does not draw the items that are stated. */
async function measureAgain(
  { certificate: { decided }, definition, onProgress }: ReplayRequest,
  context: BlocksContext,
  { gate, blocks: plan }: { readonly gate: GateOf; readonly blocks: Blocks },
): Promise<MeasuredAgain | null> {
  const { opening, run, seed, weights, probes } = decided;
  const { task } = definition;
  const lineage = (who: "champion" | "candidate"): Lineage => ({
    round: 0,
    checkpoints: {
      ...Object.fromEntries((weights.asked ?? []).map((one) => [one.role, one[who].checkpoint])),
      [definition.optimize.lead]: weights[who].checkpoint,
    },
    trainedTo: 0,
    rollouts: [],
    selections: [],
  });
  const request: Omit<BlocksRequest, "plan"> = {
    round: run.round,
    candidate: lineage("candidate"),
    champion: lineage("champion"),
    items: decisionItemsOf(task),
    owner: `${run.id}/round-${run.round}`,
    seed: seed.value,
    progress: (_, done, total) => onProgress?.(done, total),
  };
  try {
    return await opened();
  } catch (error) {
    if (isWhetstoneError(error) && error.code === "items-exhausted") return null;
    throw error;
  }

  async function opened(): Promise<MeasuredAgain> {
    const blocks: AnsweredBlock[] = [];
    const next = answeredBlocks(context, { ...request, plan });
    const again = await openGate({
      opening: opening.opening,
      options: { alpha: gate.alpha, cap: gate.cap, smallestGain: gate.smallestGain },
      reused: opening.reused,
      nextBlocks: async (count) => collected(blocks, await next(count)),
    });
    const measured: MeasuredAgain["probes"][number][] = [];
    for (const probe of probes.filter(({ exact }) => !exact)) {
      const stratum = task.strata.find(({ name }) => name === probe.stratum);
      if (stratum === undefined) continue;
      const own: AnsweredBlock[] = [];
      const nextOwn = answeredBlocks(context, {
        ...request,
        owner: probe.reused ? request.owner : `${request.owner}/probes`,
        plan: { parts: [{ strata: [stratum], count: 1 }], reused: probe.reused, pairs: gate.cap },
        part: `probe-${stratum.name}`,
      });
      const result = await openProbe({
        ...probe,
        level: probe.level ?? 1,
        cap: Math.min(gate.cap, probe.pairs),
        nextPairs: async (count) => collected(own, await nextOwn(count)),
      });
      measured.push({ stratum: stratum.name, blocks: own.slice(0, result.pairs) });
    }
    return {
      blocks: blocks.slice(0, again.blocks),
      probes: measured,
      better: again.outcome === "better",
      smallestGain: gate.smallestGain,
    };
  }
}

function collected(into: AnsweredBlock[], answered: readonly AnsweredBlock[]): readonly AnsweredBlock[] {
  into.push(...answered);
  return answered;
}

/** What the second measurement says of the first. `passed`: items that were passed over without a ledger; null with one. */
function compared(
  decided: Decided,
  measured: MeasuredAgain | null,
  { alike, passed }: { readonly alike: boolean; readonly passed: number | null },
): Claim[] {
  const again = measured?.blocks.map((block) => block.pairs.map(({ item }) => item));
  const drawn = JSON.stringify(again) === JSON.stringify(decided.items.blocks);
  const probesDrawn = measured?.probes.every(({ blocks }, index) => {
    const digests = blocks.flatMap((block) => block.pairs.map(({ item }) => item));
    return JSON.stringify(digests) === JSON.stringify(decided.items.probes[index]?.items);
  });
  const words = "are not what the seed draws, in its order";
  const order: Contradiction[] = [
    ...(drawn ? [] : [{ field: "decided.items.blocks", words }]),
    ...(probesDrawn === false ? [{ field: "decided.items.probes", words }] : []),
    ...(passed !== null && passed > 0 && decided.opening.opening === 1
      ? [
          {
            field: "decided.items.blocks",
            words: `leave out ${passed} items, and no opening before used any`,
          },
        ]
      : []),
  ];
  const how =
    passed === null
      ? "without those that earlier openings used, as the ledger here says"
      : passed === 0
        ? "and none is left out"
        : `without ${passed} others, which are taken to be used by the openings before it`;
  const orderClaim = claim(
    "replay-order",
    passed === null || passed === 0 ? "verified" : "recomputed",
    `the seed draws these items in this order, ${how}`,
    ["decided.items", "decided.seed.value"],
    order,
  );
  return measured === null ? [orderClaim] : [orderClaim, resultsClaim(decided, measured, alike)];
}

function resultsClaim({ results, opening, made }: Decided, measured: MeasuredAgain, alike: boolean): Claim {
  const rows = rowsOf(measured);
  const equal = commitmentOf(rows) === results.commitment;
  const fields = ["decided.results", "decided.weights", "decided.opening"];
  if (equal)
    return claim(
      "replay-results",
      "verified",
      `measured again on freshly loaded weights, all ${opening.pairs} pairs came out as they are stated${results.rows === null ? "; they stay sealed" : ""}`,
      fields,
    );
  const differ =
    results.rows === null
      ? undefined
      : rows.reduce(
          (sum, row, index) =>
            sum +
            row.differences.filter((one, place) => one !== results.rows?.[index]?.differences[place]).length,
          0,
        );
  const count = differ === undefined ? "some pairs" : `${differ} of ${opening.pairs} pairs`;
  const said = `measured again, ${count} came out differently, and the gate ${measured.better ? "decides the same" : "would not promote"}`;
  if (!alike && measured.better)
    return claim(
      "replay-results",
      "trusted",
      `${said}; this is not the ${made.engine} on ${made.device} that measured, and another processor may break ties otherwise`,
      fields,
    );
  return claim("replay-results", "verified", "measured again, it comes out the same", fields, [
    { field: "decided.results", words: said },
  ]);
}
