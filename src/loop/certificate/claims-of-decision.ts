import type { ProbeResult } from "../../foundation/contract/index.ts";
import { points } from "../../foundation/statistics/index.ts";
import { splitOfDigest } from "../../world/task/index.ts";
import { decide, openGate, type PairedBlock } from "../gate.ts";
import { openProbe, type Probed, probeLevel, probePromise } from "../probes.ts";
import { type Claim, type Contradiction, claim, differences, same } from "./claim.ts";
import type { GateOf } from "./gate-of.ts";
import { bettingPath, type ResultsRow } from "./rows.ts";
import type { Certificate, Decided } from "./schema.ts";
import { isSealed } from "./sealing.ts";

const opening = "decided.opening";

/** Digests of the decision split, each once, as many as the opening says. The file chooses them: only a replay knows of items. */
export function itemClaims({ decided }: Certificate): Claim[] {
  const { items, opening: stated, probes } = decided;
  const all = items.blocks.flat();
  const everyone = [...all, ...items.probes.flatMap((probe) => probe.items)];
  const outside = everyone.filter((digest) => splitOfDigest(digest) !== "decision");
  const contradictions: Contradiction[] = [];
  const wrong = (field: string, words: string): void => void contradictions.push({ field, words });
  if (outside.length > 0) wrong("decided.items", `${outside.length} of them are in another split`);
  if (new Set(all).size < all.length) wrong("decided.items.blocks", "one item stands in two places");
  if (items.blocks.length !== stated.blocks)
    wrong(`${opening}.blocks`, `there are ${items.blocks.length} blocks`);
  if (all.length !== stated.pairs) wrong(`${opening}.pairs`, `there are ${all.length} items`);
  if (new Set(items.blocks.map((block) => block.length)).size > 1)
    wrong("decided.items.blocks", "not all blocks hold as many items");
  const sampled = probes.filter(({ exact }) => !exact);
  for (const [index, { stratum, pairs }] of sampled.entries()) {
    const own = items.probes[index];
    if (own?.probe !== stratum || own.items.length !== pairs)
      wrong("decided.items.probes", `does not hold the ${pairs} items of ${stratum}`);
    else if (new Set(own.items).size < own.items.length)
      wrong("decided.items.probes", `one item of ${stratum} stands in two places`);
  }
  if (items.probes.length !== sampled.length)
    wrong("decided.items.probes", `holds items of ${items.probes.length} probes, not of ${sampled.length}`);
  return [
    claim(
      "items",
      "recomputed",
      `all ${everyone.length} digests lie in the decision split, and none in training; that each is the digest of an item is taken on trust (--replay draws the items)`,
      ["decided.items", `${opening}.blocks`, `${opening}.pairs`],
      contradictions,
    ),
    claim(
      "item-order",
      "trusted",
      "these are the items that the seed draws, in its order, without those of earlier openings (--replay draws them again)",
      ["decided.items", "decided.run.id", "decided.run.round"],
    ),
  ];
}

/** The bets, bet again on the results as they are stated. */
export async function betClaims({ decided }: Certificate, gate: GateOf): Promise<Claim[]> {
  const { results, opening: stated } = decided;
  const fields = [
    `${opening}.outcome`,
    `${opening}.wealth`,
    `${opening}.futilityWealth`,
    `${opening}.voids`,
    `${opening}.observed`,
    `${opening}.reused`,
  ];
  const measured = claim(
    "measurement",
    "trusted",
    "candidate and champion answered so: the results are what was measured (--replay measures again)",
    ["decided.results", "decided.weights"],
  );
  if (results.rows === null) {
    const silent = stated.wealth === null && stated.observed === null && stated.voids === 0;
    const told =
      stated.outcome === "better" && (silent || !stated.reused)
        ? []
        : [{ field: opening, words: "tells more, or else, than that it was won" }];
    const free = isSealed(decided)
      ? []
      : [{ field: "decided.results.rows", words: "are missing, and nothing allows to seal them" }];
    return [
      claim(
        "bets",
        "trusted",
        "results on items that are used again are sealed: that the bets were won is taken on trust until they are opened",
        [...fields, "decided.results"],
        [...told, ...free],
      ),
      measured,
    ];
  }
  const rows = results.rows.filter(({ probe }) => probe === undefined);
  const contradictions = [...resultFaults(decided), ...pathFaults(results.rows, gate)];
  const found = await openingAgain(decided, rows, gate);
  if (found.outcome !== "better")
    contradictions.push({ field: "decided.results.rows", words: "do not win the bet" });
  contradictions.push(...differences(opening, { ...stated }, { ...found }));
  return [
    claim(
      "bets",
      "recomputed",
      `the bet on a gain is won: wealth reaches ${wealthReached(rows, gate)} on ${stated.pairs} pairs, where ${(1 / stated.alpha).toFixed(0)} were asked for${stated.reused ? "" : ", and not before the last block"}`,
      [...fields, "decided.results.rows"],
      contradictions,
    ),
    measured,
  ];
}

/** The most that the bet on a gain comes to: of items that are used again, all are looked at whatever was reached before. */
function wealthReached(rows: readonly ResultsRow[], { smallestGain }: GateOf): string {
  const path = bettingPath(
    rows.map((row) => row.differences),
    smallestGain,
  );
  return Math.max(1, ...path.map(({ wealth }) => wealth)).toFixed(1);
}

/** The gate itself, on the blocks that are stated. */
function openingAgain({ opening: stated }: Decided, rows: readonly ResultsRow[], gate: GateOf) {
  const blocks = rows.map(blockOf);
  let given = 0;
  return openGate({
    opening: stated.opening,
    options: {
      alpha: gate.alpha,
      cap: gate.cap,
      smallestGain: gate.smallestGain,
      ...(stated.reused ? { reusedOpenings: gate.reusedOpenings } : {}),
    },
    reused: stated.reused,
    nextBlocks: async (count) => {
      const next = blocks.slice(given, given + count);
      given += next.length;
      return next;
    },
  });
}

function blockOf({ differences: given, voids }: ResultsRow): PairedBlock {
  return { pairs: given.map((difference, index) => ({ difference, void: voids.includes(index) })) };
}

/** Void pairs counted worst, a row a block and a probe. */
function resultFaults({ results, items }: Decided): Contradiction[] {
  const rows = results.rows ?? [];
  const field = "decided.results.rows";
  const faults: Contradiction[] = [];
  const lengths = [...items.blocks, ...items.probes.map((probe) => probe.items)].map((own) => own.length);
  const names = [...items.blocks.map(() => undefined), ...items.probes.map(({ probe }) => probe)];
  if (
    !same(
      rows.map((row) => row.differences.length),
      lengths,
    ) ||
    !same(
      rows.map((row) => row.probe),
      names,
    )
  )
    faults.push({ field, words: "are not a row for each block and probe, with a result for each item" });
  for (const { differences: given, voids } of rows) {
    if (
      !same(
        voids,
        [...new Set(voids)].sort((a, b) => a - b),
      ) ||
      voids.some((place) => place >= given.length)
    )
      faults.push({ field, words: "name void pairs that are not there" });
    if (voids.some((place) => (given[place] ?? 0) > 0))
      faults.push({ field, words: "count a void pair for the candidate" });
  }
  return faults;
}

function pathFaults(rows: readonly ResultsRow[], { smallestGain }: GateOf): Contradiction[] {
  const blocks = rows.filter(({ probe }) => probe === undefined);
  const path = bettingPath(
    blocks.map((row) => row.differences),
    smallestGain,
  );
  const wrong = blocks.findIndex(({ wealth, futility }, index) => !same({ wealth, futility }, path[index]));
  const probes = rows.some(
    ({ probe, wealth, futility }) => probe !== undefined && (wealth ?? futility) !== undefined,
  );
  return [
    ...(wrong === -1
      ? []
      : [
          {
            field: "decided.results.rows",
            words: `the betting path is wrong at block ${wrong + 1}: its wealth is ${path[wrong]?.wealth.toPrecision(6)}`,
          },
        ]),
    ...(probes ? [{ field: "decided.results.rows", words: "state a path of a probe, which has none" }] : []),
  ];
}

/** Strata that must not drop, from their own results. */
export async function probeClaims({ decided }: Certificate, gate: GateOf): Promise<Claim[]> {
  const { probes, results, items, opening: stated } = decided;
  const field = "decided.probes";
  const contradictions: Contradiction[] = [];
  const rows = new Map(results.rows?.flatMap((row) => (row.probe === undefined ? [] : [[row.probe, row]])));
  for (const [index, probe] of probes.entries()) {
    const path = `${field}.${index}`;
    const wrong = (found: Partial<ProbeResult>): void =>
      void contradictions.push(...differences(path, { ...probe }, found));
    wrong({ margin: gate.margin, ...(probe.exact ? { reused: false, wealth: null, level: null } : {}) });
    if (!gate.strata.some(({ name }) => name === probe.stratum))
      contradictions.push({ field: `${path}.stratum`, words: "is no part of the task" });
    if (probe.exact) {
      const loss = -(probe.observed ?? 1);
      wrong({ outcome: loss < gate.margin ? "kept" : "dropped" });
      if (probe.outcome !== "kept") contradictions.push({ field: `${path}.outcome`, words: "was not kept" });
      if (probe.pairs < 1 || (probe.voids ?? 0) > probe.pairs || (probe.observed ?? 2) > 1 || loss > 1)
        contradictions.push({ field: path, words: "states numbers that cannot be" });
      continue;
    }
    const power = Math.log2(probeLevel / (probe.level ?? 0));
    if (probe.reused ? !Number.isInteger(power) || power < 0 : power !== 0)
      contradictions.push({
        field: `${path}.level`,
        words: `is not ${probeLevel}, or a half, a quarter… of it`,
      });
    if (probe.reused && stated.reused) wrong({ level: probeLevel / 2 ** (stated.opening - 1) });
    const row = rows.get(probe.stratum);
    if (row === undefined) {
      wrong({ outcome: null, voids: null, observed: null, wealth: null });
      if (results.rows !== null)
        contradictions.push({ field: "decided.results.rows", words: `has none of ${probe.stratum}` });
      continue;
    }
    const found = await openProbe({
      stratum: probe.stratum,
      margin: gate.margin,
      level: probe.level ?? probeLevel,
      reused: probe.reused,
      cap: gate.cap,
      nextPairs: oneByOne(row),
    });
    if (found.outcome !== "kept")
      contradictions.push({
        field: "decided.results.rows",
        words: `do not show that ${probe.stratum} was kept`,
      });
    wrong(
      probe.reused
        ? { outcome: null, voids: null, observed: null, wealth: null, pairs: found.pairs }
        : { ...found },
    );
  }
  const missing = gate.named.filter((name) => !probes.some(({ stratum }) => stratum === name));
  if (missing.length > 0 && gate.thinProbes === "refuse")
    contradictions.push({ field, words: `the protocol demands ${missing.join(", ")} too` });
  const sealed = results.rows === null && items.probes.length > 0;
  const dropped = missing.length > 0 ? ` Too thin, and dropped: ${missing.join(", ")}.` : "";
  const promises = probes.map(probePromise).join("; ");
  const words =
    probes.length === 0
      ? `no part of the task was guarded against a loss.${dropped}`
      : `${promises}.${dropped}${sealed ? " Results are sealed." : ""}`;
  const exact = probes.flatMap((probe, index) => (probe.exact ? [`${field}.${index}`] : []));
  return [
    claim(
      "probes",
      sealed ? "trusted" : "recomputed",
      words,
      [field, ...(sealed ? ["decided.results"] : [])],
      contradictions,
    ),
    ...(exact.length === 0
      ? []
      : [
          claim(
            "probes-measured",
            "trusted",
            `parts that are measured whole came out so, with less than ${points(gate.margin)} lost; there are no others`,
            exact,
          ),
        ]),
  ];
}

function oneByOne(row: ResultsRow): (count: number) => Promise<PairedBlock[]> {
  const { pairs } = blockOf(row);
  let given = 0;
  return async (count) => {
    const next = pairs.slice(given, given + count);
    given += next.length;
    return next.map((pair) => ({ pairs: [pair] }));
  };
}

/** The decision, taken again from what is stated. */
export function decisionClaims({ decided }: Certificate): Claim[] {
  const { opening: stated, guards, probes, decision } = decided;
  const probed: Probed | null =
    probes.length === 0
      ? null
      : { kept: probes.every(({ outcome, reused }) => reused || outcome === "kept"), results: probes };
  const found = decide({ opening: stated, findings: guards, probed, observe: false });
  const asked = `${found.reason}; a person approved it`;
  const approved = decision.reason.startsWith(asked);
  const loud = guards.some(({ answer }) => answer === "stop" || answer === "roll-back");
  return [
    claim(
      "decision",
      "recomputed",
      `the gate's own rule promotes on this: ${decision.reason}`,
      ["decided.decision", opening, "decided.probes"],
      [
        ...differences("decided.decision", decision, {
          decision: found.decision,
          reason: approved ? decision.reason : found.reason,
        }),
        ...(loud
          ? [{ field: "decided.guards", words: "a guard said stop, and the gate stays shut then" }]
          : []),
      ],
    ),
    ...(approved
      ? [claim("approval", "trusted", "a person was asked, and approved it", ["decided.decision.reason"])]
      : []),
    claim(
      "guards",
      "trusted",
      guards.length === 0 ? "no guard watched" : `the ${guards.length} guards said what is stated`,
      ["decided.guards"],
    ),
  ];
}
