import { nearest, userError } from "../../../foundation/base/index.ts";
import type { Stratum, Task } from "../../../foundation/contract/index.ts";
import { pairsToProtect, points } from "../../../foundation/statistics/index.ts";
import { isEnumerated, itemsInSplit } from "../../../world/task/index.ts";
import type { GateOptions } from "../../gate.ts";
import { defaultDiscordance, defaultMargin, probeLevel } from "../../probes.ts";
import { fewestFreshItems } from "./block-parts.ts";

export interface PlannedProbe {
  readonly stratum: Stratum;
  readonly margin: number;
  /** Measured whole. */
  readonly exact: boolean;
  /** Every opening uses its decision items again. */
  readonly reused: boolean;
  /** Pairs that an opening has for it at most. */
  readonly pairs: number;
  /** Pairs with which a candidate that lost nothing shows it with a chance of 80 %; of an exact one all its items. */
  readonly needed: number;
}

/** A stratum that was to be a probe, and has too few items to protect. */
export interface ThinProbe {
  readonly stratum: string;
  readonly pairs: number;
  readonly margin: number;
}

export interface ProbePlan {
  readonly probes: readonly PlannedProbe[];
  readonly thin: readonly ThinProbe[];
}

type ProbeGate = Pick<
  GateOptions,
  "cap" | "probes" | "probeMargin" | "probeDiscordance" | "thinProbes" | "smallestGain"
>;

/** The probes of a run, and those that are too thin. Throws a user error `no-such-stratum`. */
export function planProbes(
  task: Task,
  { cap, probes = [], probeMargin: margin = defaultMargin, probeDiscordance = defaultDiscordance }: ProbeGate,
  { reusedBefore = false }: { readonly reusedBefore?: boolean } = {},
): ProbePlan {
  const strata =
    probes === "enumerated"
      ? task.strata.filter(isEnumerated)
      : probes.map((name) => stratumCalled(task, name));
  const planned: PlannedProbe[] = [];
  const thin: ThinProbe[] = [];
  for (const stratum of strata) {
    if (isEnumerated(stratum)) {
      const { distinct } = stratum;
      planned.push({ stratum, margin, exact: true, reused: false, pairs: distinct, needed: distinct });
      continue;
    }
    const inSplit = itemsInSplit(stratum, "decision");
    const pairs = Math.min(cap, inSplit);
    const needed = sizeOf({ margin, discordance: probeDiscordance, cap: pairs });
    if (needed === null) thin.push({ stratum: stratum.name, pairs, margin });
    else
      planned.push({
        stratum,
        margin,
        exact: false,
        reused: reusedBefore || inSplit < fewestFreshItems,
        pairs,
        needed,
      });
  }
  return { probes: planned, thin };
}

const sizes = new Map<string, number | null>();

/** The same question is asked in every round. */
function sizeOf(asked: { readonly margin: number; readonly discordance: number; readonly cap: number }) {
  const key = JSON.stringify(asked);
  const known = sizes.get(key);
  if (known !== undefined) return known;
  const needed = pairsToProtect({ ...asked, level: probeLevel });
  sizes.set(key, needed);
  return needed;
}

/** Throws user errors `no-such-stratum` and `probe-too-thin`, the latter unless thin probes are dropped. */
export function checkProbes(task: Task, gate: ProbeGate): void {
  const { thin } = planProbes(task, gate);
  const [first] = thin;
  if (first === undefined || gate.thinProbes === "drop") return;
  const others =
    thin.length === 1
      ? ""
      : ` (and so is ${thin
          .slice(1)
          .map(({ stratum }) => stratum)
          .join(", ")})`;
  throw userError(
    "probe-too-thin",
    `${first.stratum} is too thin for a probe${others}: ${first.pairs} pairs do not show that it lost less than ${points(first.margin)}. Raise gate.probeMargin or gate.cap, leave it out of gate.probes, or go on without it with gate: { thinProbes: "drop" }.`,
    { task: task.name, stratum: first.stratum },
  );
}

function stratumCalled(task: Task, name: string): Stratum {
  const stratum = task.strata.find((one) => one.name === name);
  if (stratum !== undefined) return stratum;
  const names = task.strata.map((one) => one.name);
  const meant = nearest(name, names);
  throw userError(
    "no-such-stratum",
    `gate.probes: ${task.name} has no part "${name}"; ${meant === undefined ? `it has ${names.join(", ")}.` : `did you mean ${meant}?`}`,
    { task: task.name, stratum: name },
  );
}
