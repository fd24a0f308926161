import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

/** [importing file, imported file or package, the rule that must refuse it (none: it must pass)] */
const planted: readonly (readonly [string, string, string?])[] = [
  // down and along the arrows
  ["src/loop/round.ts", "src/foundation/base/text.ts"],
  ["src/foundation/ledger/rows.ts", "src/foundation/statistics/interval.ts"],
  ["src/foundation/ledger/store.ts", "src/foundation/base/text.ts"],
  ["src/model/chat/turn.ts", "src/model/text/template.ts"],
  ["src/model/hub/pull.ts", "src/model/engine/local/cache.ts"],
  ["src/model/hub/listing.ts", "@huggingface/hub"],
  ["src/lifecycle/optimize/methods/imitation/star.ts", "src/lifecycle/select/band.ts"],
  ["src/loop/run.ts", "src/loop/gate.ts"],
  ["src/surface/cli/main.ts", "src/surface/report/page.ts"],
  ["src/surface/cli/flags.ts", "@stricli/core"],
  ["src/foundation/base/shape.ts", "zod"],
  ["src/foundation/base/digest.ts", "node:crypto"],
  ["src/model/text/tokens.ts", "@huggingface/tokenizers"],
  ["src/loop/gate.test.ts", "fast-check"],
  ["src/model/engine/local/worker.test.ts", "src/model/engine/conformance/kit.ts"],
  ["tests/whole.test.ts", "src/loop/gate.ts"],
  ["src/gro/index.ts", "src/gro/method.ts"],
  ["src/index.ts", "src/surface/cli/words.ts"],
  ["examples/reverse/run.ts", "src/index.ts"],
  // up a floor, also for a type only, also from a test beside the code
  ["src/foundation/base/upward.ts", "src/loop/gate.ts", "floor-foundation"],
  ["src/model/text/upward.ts", "src/world/task/items.ts", "floor-model"],
  ["src/world/task/upward.test.ts", "src/gro/method.ts", "floor-world"],
  ["src/gro/reward/upward.ts", "src/lifecycle/select/band.ts", "floor-gro"],
  ["src/lifecycle/guard/upward.ts", "src/loop/gate.ts", "floor-lifecycle"],
  ["src/loop/director/upward.ts", "src/surface/report/page.ts", "floor-loop"],
  ["src/surface/report/upward.ts", "src/index.ts", "public-api-on-top"],
  // against an arrow, or across to a neighbour
  ["src/foundation/base/sideways.ts", "src/foundation/contract/engine.ts", "room-foundation-base"],
  [
    "src/foundation/contract/sideways.ts",
    "src/foundation/statistics/interval.ts",
    "room-foundation-contract",
  ],
  ["src/model/engine/sideways.ts", "src/model/chat/turn.ts", "room-model-engine"],
  ["src/model/engine/tabular/named.ts", "src/model/hub/pull.ts", "room-model-engine"],
  ["src/model/hub/sideways.ts", "src/model/chat/turn.ts", "room-model-hub"],
  ["src/gro/reward/sideways.ts", "src/gro/update/weights.ts", "room-gro-reward"],
  ["src/lifecycle/acquire/sideways.ts", "src/lifecycle/select/band.ts", "room-lifecycle-acquire"],
  ["src/lifecycle/refine/sideways.ts", "src/lifecycle/evaluate/card.ts", "room-lifecycle-refine"],
  ["src/loop/oversight/sideways.ts", "src/loop/round.ts", "room-loop-oversight"],
  ["src/loop/round.test.ts", "src/loop/run.ts", "room-loop-round"],
  ["src/surface/server/sideways.ts", "src/surface/report/page.ts", "room-surface-server"],
  ["src/model/engine/local/worker.ts", "src/model/engine/tabular/table.ts", "engines-apart"],
  ["src/model/engine/tabular/kit.ts", "src/model/engine/conformance/kit.ts", "engines-apart"],
  ["src/model/engine/local/twin.test.ts", "src/model/engine/tabular/table.ts", "engines-apart-in-tests"],
  // out of the house, or in a circle (reported once, at one of its files)
  ["src/attic/lost.ts", "src/foundation/base/text.ts", "known-rooms"],
  ["src/loop/lost.ts", "src/foundation/base/text.ts", "known-rooms"],
  ["bench/inside.ts", "src/loop/gate.ts", "public-api-only"],
  ["src/world/task/borrowed.ts", "tests/words.ts", "shipped-alone"],
  ["src/foundation/base/circle.ts", "src/foundation/base/circle-back.ts"],
  ["src/foundation/base/circle-back.ts", "src/foundation/base/circle.ts", "no-cycles"],
  ["src/loop/nowhere.ts", "./missing.ts", "no-unresolved"],
  ["src/foundation/base/dressed.ts", "@huggingface/tokenizers", "foundation-stands-alone"],
  ["src/loop/director/prompting.ts", "@clack/prompts", "terminal-only-in-cli"],
  ["src/world/task/tokens.ts", "@huggingface/tokenizers", "tokenizers-only-in-text"],
  ["src/model/engine/local/pulling.ts", "@huggingface/hub", "network-only-in-hub"],
  ["src/world/task/checked.ts", "fast-check", "no-development-packages"],
];

const packages = [
  "zod",
  "fast-check",
  "@stricli/core",
  "@clack/prompts",
  "@huggingface/tokenizers",
  "@huggingface/hub",
];

let folder: string;
let violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-imports-"));
  for (const name of [
    "package.json",
    "tsconfig.base.json",
    "tsconfig.check.json",
    ".dependency-cruiser.cjs",
  ]) {
    await cp(join(root, name), join(folder, name));
  }
  for (const name of packages) {
    await place(
      `node_modules/${name}/package.json`,
      JSON.stringify({ name, version: "1.0.0", main: "main.js" }),
    );
    await place(`node_modules/${name}/main.js`, "exports.planted = 1;\n");
  }
  const importers = new Set(planted.map(([from]) => from));
  for (const [from, to] of planted) {
    const specifier = to.startsWith("src/") || to.startsWith("tests/") ? climb(from, to) : to;
    await place(
      from,
      `import type * as planted from "${specifier}";\nexport type Planted = keyof typeof planted;\n`,
    );
    if (specifier !== to && !importers.has(to)) await place(to, "export const planted = 1;\n");
  }
  violations = await cruise();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test.each(planted.filter(([, , rule]) => rule !== undefined))(
  "%s may not import %s (%s)",
  (from, _to, rule) => {
    const rules = violations
      .filter((violation) => violation.from === from)
      .map((violation) => violation.rule.name);
    expect(rules).toContain(rule);
  },
);

test.each(planted.filter(([, , rule]) => rule === undefined))("%s may import %s", (from) => {
  expect(violations.filter((violation) => violation.from === from)).toEqual([]);
});

function climb(from: string, to: string): string {
  return `${"../".repeat(dirname(from).split("/").length)}${to}`;
}

async function place(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

function cruise(): Promise<typeof violations> {
  const script = join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
  const args = [script, "--config", ".dependency-cruiser.cjs", "--output-type", "json"];
  return new Promise((resolve, reject) => {
    // The JSON output ends with 0 whatever it found.
    const options = { cwd: folder, maxBuffer: 64 * 1024 * 1024 };
    execFile(
      process.execPath,
      [...args, "src", "tests", "bench", "examples"],
      options,
      (error, stdout, stderr) => {
        if (error) reject(new Error(stderr || error.message));
        else
          resolve((JSON.parse(stdout) as { summary: { violations: typeof violations } }).summary.violations);
      },
    );
  });
}
