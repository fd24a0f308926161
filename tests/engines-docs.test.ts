import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { conformanceChecks, local, tabular } from "../src/index.ts";
import { root } from "./cli-program.ts";

const page = readFileSync(join(root, "docs/engines.md"), "utf8");

test("docs/engines.md names every check, with a tolerance, and those of the fast part", () => {
  const rows = [...page.matchAll(/^\| ([^|]+?) \| (★?) ?\| ([^|]+) \|$/gm)].map(([, name, star]) => ({
    name,
    fast: star === "★",
  }));
  // The first row is the head.
  expect(rows.slice(1)).toEqual(conformanceChecks().map(({ name, fast }) => ({ name, fast })));
});

test("the README counts the checks", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  expect(readme).toContain(`one conformance kit, ${conformanceChecks().length} checks,`);
});

test("docs/engines.md says of each engine what it says of itself", () => {
  const cells = (name: string): readonly string[] =>
    new RegExp(`^\\| ${name} \\| (.*) \\| (.*) \\|$`, "m").exec(page)?.slice(1) ?? [];
  const engines = [local().abilities, tabular().abilities];
  const column = (of: (abilities: NonNullable<(typeof engines)[number]>) => string) =>
    engines.map((abilities) => (abilities === undefined ? "" : of(abilities)));
  const list = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(" ") || "–";
  const yes = (there: boolean): string => (there ? "yes" : "–");
  const count = (most: number): string => (most === 0 ? "–" : String(most));
  expect(cells("losses")).toEqual(column(({ losses }) => list(losses)));
  expect(cells("optimisers")).toEqual(column(({ optimizers }) => list(optimizers)));
  expect(cells("precisions")).toEqual(column(({ precisions }) => list(precisions)));
  expect(cells("stop strings")).toEqual(column(({ stopStrings }) => yes(stopStrings)));
  expect(cells("top-k")).toEqual(column(({ topK }) => yes(topK)));
  expect(cells("LoRA, largest rank")).toEqual(column(({ loraRank }) => count(loraRank)));
  expect(cells("gradient checkpointing")).toEqual(column((one) => yes(one.gradientCheckpointing)));
  expect(cells("most probable tokens, at most")).toEqual(column(({ topLogprobs }) => count(topLogprobs)));
  const bits = ({ deterministic = [] }: { readonly deterministic?: readonly string[] } = {}) =>
    list(deterministic);
  expect(cells("equal calls give equal bits")).toEqual([
    `with \`deterministic: true\`: ${bits(local({ deterministic: true }).abilities)}`,
    bits(tabular().abilities),
  ]);
  expect(cells("extensions")).toEqual(column(({ extensions }) => list(extensions)));
});
