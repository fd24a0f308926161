import { boundAfter, levelAt, percent, spentAt } from "../../foundation/statistics/index.ts";
import { type Claim, claim, differences, same } from "./claim.ts";
import type { GateOf } from "./gate-of.ts";
import type { Certificate, Decided } from "./schema.ts";

const opening = "decided.opening";

/** The level of the opening, from its number and how the items are used. */
export function levelClaims({ decided }: Certificate, gate: GateOf): Claim[] {
  const { opening: stated, history, opened } = decided;
  const contradictions = differences(opening, stated, {
    alpha: levelAt(stated.opening, gate.alpha, stated.reused),
    ...(stated.reused ? { openings: gate.reusedOpenings } : {}),
  });
  if (!stated.reused && stated.openings !== undefined)
    contradictions.push({ field: `${opening}.openings`, words: "fresh items know no such limit" });
  if (stated.reused && stated.opening > gate.reusedOpenings)
    contradictions.push({ field: `${opening}.opening`, words: `there are ${gate.reusedOpenings} at most` });
  const numbers = history.map((one) => one.opening);
  if (
    !same(
      numbers,
      numbers.map((_, index) => index + 1),
    ) ||
    numbers.length !== stated.opening - 1
  )
    contradictions.push(
      {
        field: "decided.history",
        words: `does not count the ${stated.opening - 1} openings before this one`,
      },
      { field: `${opening}.opening`, words: `${numbers.length} openings before it are listed` },
    );
  for (const { opening: number } of opened)
    if (number >= stated.opening)
      contradictions.push({ field: "decided.opened", words: `opening ${number} was not before this one` });
  for (const [index, { run, spent }] of history.entries())
    if (run === decided.run.id && typeof spent === "number")
      contradictions.push(
        ...differences(`decided.history.${index}`, { spent }, { spent: spentAt(index + 1, gate.alpha) }),
      );
  for (const [index, { promoted, heldBack }] of history.entries())
    if (heldBack != null && promoted !== true)
      contradictions.push({
        field: `decided.history.${index}.heldBack`,
        words: "holds back what the gate would not have promoted",
      });
  const kind = stated.reused ? "reused, histories counted" : "fresh";
  return [
    claim(
      "level",
      "recomputed",
      `opening ${stated.opening} on these items (${kind}) tests at ${stated.alpha.toPrecision(3)}: ${boundWords(decided, gate)}`,
      [`${opening}.alpha`, `${opening}.opening`, `${opening}.openings`, "decided.history"],
      contradictions,
    ),
    claim(
      "history",
      "trusted",
      stated.opening === 1
        ? "nobody opened the gate on these items before"
        : `the gate was opened ${stated.opening === 2 ? "once" : `${stated.opening - 1} times`} on these items before, no more often, and at the α that each one's run had`,
      ["decided.history", `${opening}.opening`],
    ),
    claim(
      "one-bit",
      "trusted",
      opened.length === 0
        ? `nobody has acted on more than the gate's one bit, better or not, of earlier openings on these items${rejectedWords(decided)}`
        : `VOID: a person looked at results on these items before (${opened.map((one) => `opening ${one.opening}`).join(", ")}): the bound no longer holds`,
      ["decided.opened", "decided.history"],
    ),
  ];
}

/** A person heard the bit and acted against it, for a reason of their own. */
function rejectedWords({ history }: Decided): string {
  const rejected = history.filter(({ heldBack }) => heldBack === "person").map(({ opening: one }) => one);
  if (rejected.length === 0) return "";
  return `; what ${rejected.length === 1 ? "opening" : "openings"} ${rejected.join(", ")} found better a person rejected, by what they knew otherwise`;
}

/** What all openings spend, rounded up, by what is stated of those before this one. */
function boundWords({ history }: Decided, { alpha }: GateOf): string {
  const spent = history.flatMap((one) => one.spent ?? []);
  const known = spent.length === history.length;
  const bound = Math.ceil(1000 * boundAfter(known ? spent : [], alpha) - 1e-6) / 1000;
  const chance = `over all openings the chance of even one false promotion stays below ${percent(bound)}`;
  return `${chance}, where later ones test at no larger α${known ? "" : ", nor did earlier ones, of which that is not known"}`;
}
