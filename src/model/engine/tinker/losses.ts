import { nearest, userError } from "../../../foundation/base/index.ts";
import type { Loss, LossName } from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";

const clips = { clip_low_threshold: "clipLow", clip_high_threshold: "clipHigh" } as const;

/** By loss: the names that the API has for its settings. */
const settings: Readonly<Record<LossName, Readonly<Record<string, string>>>> = {
  cross_entropy: {},
  importance_sampling: {},
  ppo: clips,
  cispo: clips,
  gspo: clips,
  dro: { beta: "beta" },
};

export const lossNames = Object.keys(settings) as LossName[];

/**
 * The loss that a name and a configuration of the API stand for. Throws user errors `unknown-loss` and
 * `unknown-loss-setting`.
 */
export function lossOf(name: string, config: Readonly<Record<string, number | string>>): Loss {
  if (!Object.hasOwn(settings, name)) {
    const meant = nearest(name, lossNames);
    throw userError(
      "unknown-loss",
      `There is no loss "${name}"${meant === undefined ? `; there are ${lossNames.join(", ")}.` : `; did you mean "${meant}"?`}`,
      { loss: name },
    );
  }
  const known = settings[name as LossName];
  const loss: Record<string, unknown> = { name };
  for (const [key, value] of Object.entries(config)) {
    const member = Object.hasOwn(known, key) ? known[key] : undefined;
    if (member === undefined) throw unknownSetting(name, key, Object.keys(known));
    if (typeof value !== "number" || !Number.isFinite(value))
      throw userError(
        "unknown-loss-setting",
        `"${key}" of the loss ${name} must be a number, not "${value}".`,
      );
    loss[member] = value;
  }
  return loss as unknown as Loss;
}

function unknownSetting(loss: string, key: string, known: readonly string[]) {
  const meant = nearest(key, known);
  const takes = known.length === 0 ? "it takes none" : `it takes ${known.join(", ")}`;
  return userError(
    "unknown-loss-setting",
    `The loss ${loss} has no setting "${key}"; ${meant === undefined ? takes : `did you mean "${meant}"?`}`,
    { loss, key },
  );
}

/** The API's words for a loss. Throws `bad-request` for a member that the loss has not. */
export function configOf(loss: Loss): Record<string, number> {
  const { name, ...given } = loss as unknown as { readonly name: LossName } & Readonly<
    Record<string, number | undefined>
  >;
  const known = Object.values(settings[name] ?? {});
  const strange = Object.keys(given).find((member) => !known.includes(member));
  if (strange !== undefined) throw engineError("bad-request", `The loss ${name} has no "${strange}".`);
  return Object.fromEntries(
    Object.entries(settings[name] ?? {}).flatMap(([key, member]) =>
      given[member] === undefined ? [] : [[key, given[member]]],
    ),
  );
}
