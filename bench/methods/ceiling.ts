import { defineRun, greedyDecoding, type Harness, run, selfConsistency } from "whetstone";
import { onBase, type Played } from "./mechanism.ts";

/** The ways in which a base knows more than one of its samples shows: what a reward that it makes itself can bring out. */
const ways = {
  "majority of 64": () => selfConsistency({ samples: 64, vote: (text) => text.slice(-1) }),
  greedy: () => greedyDecoding(),
} satisfies Readonly<Record<string, () => Harness>>;
export type CeilingWay = keyof typeof ways;
export const ceilingWays = Object.keys(ways) as CeilingWay[];

/** How often a base is right when it is asked in one of these ways, on the items that its column measures. */
export interface CeilingRow {
  readonly method: CeilingWay;
  readonly column: "ceiling" | "misled-ceiling";
  readonly accuracy: number;
}

/** No rounds: the base alone, which the folder has prepared, or keeps for the methods. */
export async function ceiling(
  way: CeilingWay,
  { base, seed, folder }: Required<Omit<Played, "variant">>,
): Promise<CeilingRow> {
  const definition = defineRun({
    ...onBase(base),
    name: [base, ...way.split(" ")].join("-"),
    refine: ways[way](),
    budget: { rounds: 0 },
    seed,
  });
  const { events } = await run(definition, { folder });
  const measured = events.flatMap(({ event }) =>
    event.type === "validation-measured" && event.who === "base" ? [event.measurement.mean] : [],
  );
  const [accuracy] = measured;
  if (accuracy === undefined) throw new Error("the base was not measured");
  return { method: way, column: base === "misled" ? "misled-ceiling" : "ceiling", accuracy };
}
