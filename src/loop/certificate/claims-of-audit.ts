import { signedPoints, stratifiedMean } from "../../foundation/statistics/index.ts";
import { splitOfDigest } from "../../world/task/index.ts";
import { type Claim, type Contradiction, claim, differences, same } from "./claim.ts";
import type { GateOf } from "./gate-of.ts";
import type { Audited, Certificate, Decided } from "./schema.ts";

/** The gain on audit items, computed again from its pairs. */
export function auditClaims({ decided, audits }: Certificate, gate: GateOf): Claim[] {
  if (audits.length === 0)
    return [claim("audit", "trusted", "no gain is claimed: audit items were not answered yet", ["audits"])];
  const names = audits.map(({ comparison }) => comparison);
  const twice = new Set(names).size < names.length;
  return audits.flatMap((audit, index) => {
    const path = `audits.${index}`;
    const contradictions = [...auditFaults(audit, path, decided, gate)];
    if (twice) contradictions.push({ field: `${path}.comparison`, words: "stands there twice" });
    const { gain, comparison } = audit;
    const against = comparison === "base" ? "what the run began with" : "the champion before it";
    return [
      claim(
        `audit-gain-${comparison}`,
        "recomputed",
        `against ${against}, on audit items: ${signedPoints(gain.mean)} points (95 % interval ${signedPoints(gain.interval.low)} to ${signedPoints(gain.interval.high)}, ${gain.pairs} pairs)`,
        [`${path}.gain`, `${path}.strata`, `${path}.before`, `${path}.after`, `${path}.comparison`],
        contradictions,
      ),
      claim(
        `audit-measured-${comparison}`,
        "trusted",
        "both answered audit items so, after the decision was stored, and nothing was chosen by them",
        [path],
      ),
    ];
  });
}

function auditFaults(
  { comparison, before, after, strata, gain }: Audited,
  path: string,
  { weights, items }: Decided,
  gate: GateOf,
): Contradiction[] {
  const faults: Contradiction[] = [];
  const wrong = (field: string, words: string): void =>
    void faults.push({ field: `${path}.${field}`, words });
  if (after !== weights.candidate.checkpoint) wrong("after", "is not the candidate");
  if (comparison === "previous-champion" && before !== weights.champion.checkpoint)
    wrong("before", "is not the champion before it");
  const decision = new Set([...items.blocks.flat(), ...items.probes.flatMap((probe) => probe.items)]);
  const seen = new Set<string>();
  for (const { stratum, weight, whole, items: own, differences: given, voids } of strata) {
    const known = gate.strata.find(({ name }) => name === stratum);
    if (known?.weight !== weight) wrong("strata", `${stratum} does not weigh so in the protocol`);
    if (!whole && own.some((digest) => splitOfDigest(digest) !== "audit"))
      wrong("strata", `items of ${stratum} are in another split`);
    if (own.some((digest) => decision.has(digest) || seen.has(digest)) || new Set(own).size < own.length)
      wrong("strata", `an item of ${stratum} was used twice`);
    for (const digest of own) seen.add(digest);
    if (own.length !== given.length) wrong("strata", `${stratum} has not one result an item`);
    if (
      !same(
        voids,
        [...new Set(voids)].sort((a, b) => a - b),
      ) ||
      voids.some((place) => place >= given.length || (given[place] ?? 0) > 0)
    )
      wrong("strata", `void pairs of ${stratum} are not counted worst`);
  }
  const names = strata.map(({ stratum }) => stratum);
  if (new Set(names).size < names.length) wrong("strata", "name one part twice");
  if (strata.some(({ differences: given }) => given.length === 0)) {
    wrong("strata", "hold a part without results");
    return faults;
  }
  const found = stratifiedMean(
    strata.map(({ weight, whole, differences: values }) => ({ weight, whole, values })),
    [-1, 1],
  );
  const pairs = strata.reduce((sum, { differences: values }) => sum + values.length, 0);
  faults.push(
    ...differences(`${path}.gain`, { ...gain }, { mean: found.mean, pairs }),
    ...differences(`${path}.gain.interval`, { ...gain.interval }, { ...found.interval }),
  );
  return faults;
}
