import type { Datum, Loss } from "../../../foundation/contract/index.ts";
import { assert, assertClose, assertRefused } from "./assert.ts";
import { crossEntropy } from "./bench.ts";
import type { CheckDefinition } from "./check.ts";
import { lossesOf, nameOf, policyData } from "./policy-data.ts";

const indices = [0, 1, 2, 3];
/** Neither the first nor the last, and its sequence neither the shortest nor the longest: sorting by length moves it. */
const broken = 2;

/** Arrays with which the loss of a datum is no number, or infinite. */
function faultsOf({
  name,
}: Loss): readonly (readonly [member: "weights" | "advantages" | "logprobs", value: number])[] {
  if (name === "cross_entropy")
    return [
      ["weights", Number.NaN],
      ["weights", Number.POSITIVE_INFINITY],
    ];
  const ratio = [["logprobs", -1e4]] as const;
  return [
    ["advantages", Number.NaN],
    ["logprobs", Number.NaN],
    ...(name === "importance_sampling" ? ratio : []),
  ];
}

export const finiteChecks: readonly CheckDefinition[] = [
  {
    name: "a loss that is no number, or overflows, is refused by the datum's name",
    check: async (bench) => {
      const model = await bench.model();
      const { data } = await policyData(bench, model, indices);
      const fine = { loss: crossEntropy, logprobs: "none" } as const;
      for (const loss of lossesOf(bench))
        for (const [member, value] of faultsOf(loss)) {
          const what = `${nameOf(loss)} with ${member} of ${value}`;
          await model.forwardBackward(data, fine);
          const norm = await bench.gradientNorm(model);
          await model.forwardBackward(data, fine);
          for (const pass of ["forward", "forwardBackward"] as const) {
            const { message } = await assertRefused(
              what,
              () => model[pass](brokenAt(data, member, value), { loss, logprobs: "none" }),
              "non-finite-loss",
            );
            assert(
              new RegExp(`\\bdatum ${broken}\\b`, "i").test(message),
              `${what} in datum ${broken} was refused without its name: "${message}"`,
            );
          }
          const left = (await bench.gradientNorm(model)) / norm;
          assertClose(bench, `the gradient after ${what}`, left, 1, bench.gradientTolerance);
        }
    },
  },
  {
    name: "what does not count may be no number",
    check: async (bench) => {
      const model = await bench.model();
      const { data } = await policyData(bench, model, indices);
      for (const loss of lossesOf(bench)) {
        const counted = loss.name === "cross_entropy" ? "weights" : "mask";
        const members = loss.name === "cross_entropy" ? [] : (["advantages", "logprobs"] as const);
        const holed = data.map((datum) => {
          const holes = members.map((member) => [
            member,
            datum[member]?.map((value, at) => (datum[counted]?.[at] === 0 ? Number.NaN : value)),
          ]);
          return { ...datum, ...Object.fromEntries(holes) } as Datum;
        });
        const measure = async (given: readonly Datum[]): Promise<readonly [number, number]> => {
          const { lossSum } = await model.forwardBackward(given, { loss, logprobs: "none" });
          return [lossSum, await bench.gradientNorm(model)];
        };
        const [[plainLoss, plainNorm], [lossSum, norm]] = [await measure(data), await measure(holed)];
        const what = `of ${nameOf(loss)} with holes where nothing counts`;
        assertClose(bench, `the loss ${what}`, lossSum, plainLoss, bench.lossTolerance());
        // A ratio is of logprobs, which may be rounded otherwise in another call.
        const byLogprobs = bench.rough && loss.name !== "cross_entropy";
        const within = byLogprobs ? bench.derivedTolerance() : bench.gradientTolerance;
        assertClose(bench, `the gradient ${what}`, norm / plainNorm, 1, within);
      }
    },
  },
];

/** The value at the first position that counts of one datum. */
function brokenAt(
  data: readonly Datum[],
  member: "weights" | "advantages" | "logprobs",
  value: number,
): Datum[] {
  return data.map((datum, index) => {
    if (index !== broken) return datum;
    const counted = member === "weights" ? datum.weights : datum.mask;
    const at = counted?.findIndex((one) => one !== 0) ?? 0;
    return { ...datum, [member]: datum[member]?.map((one, place) => (place === at ? value : one)) };
  });
}
