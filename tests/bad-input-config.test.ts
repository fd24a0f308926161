import { join } from "node:path";
import { expect, test } from "vitest";
import { jsonLines, quickConfig, root, temporaryFolder, whetstone } from "./cli-program.ts";

/** [what is wrong, the config, what the sentence says] */
const wrong: readonly (readonly [string, string, RegExp])[] = [
  [
    "an unknown option",
    quickConfig({ options: "bugdet: {}," }),
    /defineRun\(\): there is no option "bugdet"; did you mean "budget"\?/,
  ],
  [
    "an unknown option of a part",
    quickConfig({ options: "model: tiny({ layer: 3 })," }).replace("tabular }", "tabular, tiny }"),
    /tiny\(\): there is no option "layer"; did you mean "layers"\?/,
  ],
  [
    "an option by what a clock calls it",
    quickConfig({ options: "budget: { minutes: 3 }," }),
    /there is no option "budget\.minutes"; did you mean "wallSeconds"\?/,
  ],
  [
    "an option of the wrong kind",
    quickConfig({ options: 'precision: "fp64",' }),
    /defineRun\(\): option "precision": .*"fp32"/,
  ],
  [
    "text that does not compile",
    `import { defineRun, reverse } from "whetstone";\nexport default defineRun({\n  task: reverse(,\n});\n`,
    /whetstone\.config\.ts \(line 3\) does not compile: \S/,
  ],
  [
    "types that Node cannot strip",
    `enum Size { small }\nexport default Size;\n`,
    /whetstone\.config\.ts \(line 1\): Node only strips types/,
  ],
  [
    "a name that the API does not have",
    `import { defineRun, revers } from "whetstone";\nexport default defineRun({ task: revers() });\n`,
    /whetstone\.config\.ts \(line 1\): "whetstone" has no export "revers"; did you mean "reverse"\?/,
  ],
  [
    "an import that is not there",
    `import { things } from "./things.ts";\nexport default things;\n`,
    /whetstone\.config\.ts imports what is not there: Cannot find module '.*things\.ts'/,
  ],
  [
    "code that throws",
    `const lengths = undefined as unknown as number[];\n\nexport default { lengths: lengths[0] };\n`,
    /whetstone\.config\.ts \(line 3\) failed: Cannot read properties of undefined/,
  ],
  ["nothing exported", `export const run = 1;\n`, /exports no run: end it with `export default defineRun/],
  [
    "a parameter that has the name of a flag",
    `import { defineRun, reverse, withParameters } from "whetstone";
export default withParameters({ json: "" }, () => defineRun({ task: reverse() }));\n`,
    /a parameter cannot be called "json"/,
  ],
];

test.concurrent.each(wrong)("a config with %s gets a sentence", async (_what, config, sentence) => {
  const folder = temporaryFolder(config);
  const { code, stdout, stderr } = await whetstone(["run", folder]);
  expect(stderr).toMatch(sentence);
  expect(stderr).toMatch(/^whetstone: [^\n]+\n$/);
  expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
});

test.concurrent("with --json the sentence is an object, and standard error is silent", async () => {
  const folder = temporaryFolder(quickConfig({ options: "bugdet: {}," }));
  const { code, stdout, stderr } = await whetstone(["run", folder, "--json"]);
  expect(jsonLines(stdout)).toEqual([
    {
      error: {
        code: "invalid-option",
        category: "user",
        message: expect.stringContaining('did you mean "budget"?'),
        details: expect.anything(),
      },
    },
  ]);
  expect({ code, stderr }).toEqual({ code: 3, stderr: "" });
});

/** [command line, what the sentence says]; the example takes filter, control, fault and seed. */
const parameters: readonly (readonly [readonly string[], RegExp])[] = [
  [["--filte", "none"], /There is no flag --filte; did you mean --filter\?/],
  [["--jsno"], /There is no flag --jsno; did you mean --json\?/],
  [["--filter", "non"], /"filter" cannot be "non"; did you mean "none"\?/],
  [
    ["--fault", "hackable"],
    /"fault" cannot be "hackable"; it can be "none", .*"hackable-verifier", "stale-sampler"/,
  ],
  [["--fault", "stale-sampler", "--filter", "none"], /--fault goes without --filter and --control/],
  [["--seed", "many"], /"seed" must be a number/],
  [["--seed"], /--seed needs a value/],
  [["--seed", "1", "--seed=2"], /--seed is given twice/],
];

test.concurrent.each(parameters)("parameters %j get a sentence", async (given, sentence) => {
  const { code, stderr } = await whetstone(["plan", join(root, "examples/reverse"), ...given]);
  expect(stderr).toMatch(sentence);
  expect(code).toBe(3);
});

test.concurrent("a run that takes no parameters names the flags that there are", async () => {
  const folder = temporaryFolder(quickConfig());
  const near = await whetstone(["run", folder, "--jsom"]);
  expect(near.stderr).toMatch(/There is no flag --jsom; did you mean --json\?/);
  const far = await whetstone(["run", folder, "--temperature", "1"]);
  expect(far.stderr).toMatch(/There is no flag --temperature; this run takes --json, --budget, --help\./);
  expect([near.code, far.code]).toEqual([3, 3]);
});

test.concurrent("a folder without a config is told how to get one", async () => {
  const folder = temporaryFolder();
  const { code, stderr } = await whetstone(["run"], { folder });
  expect(stderr).toMatch(/This folder has no whetstone\.config\.ts: write a config with `whetstone init`/);
  expect(code).toBe(3);
  for (const [given, what] of [
    ["other", "folder"],
    ["v9.9", "folder"],
    ["other.config.ts", "file"],
  ] as const) {
    const missing = await whetstone(["plan", given], { folder });
    expect([missing.code, missing.stderr]).toEqual([
      3,
      expect.stringContaining(`There is no ${what} ${given}: `),
    ]);
  }
});

/** A run whose reward is somebody's own. */
const rewardedBy = (
  reward: string,
): string => `import { defineRun, demonstrations, greedy, gro, reverse, supervised, tabular } from "whetstone";

export default defineRun({
  engine: tabular(),
  task: reverse({ lengths: [1, 2], growTo: 3, measureTo: 3 }),
  prepare: supervised({ on: demonstrations(), steps: 1 }),
  optimize: gro({
    generate: greedy(),
    reward: { name: "mine", description: {}, origin: "external", peers: 1, reward: ${reward} },
    update: supervised(),
  }),
  evaluate: { perStratum: 8, auditPerStratum: 8, finalAuditPerStratum: 8 },
  gate: { mode: "observe" },
});
`;

test.concurrent.each([
  ["never settles", "() => new Promise(() => {})", "waits for a promise that nothing is left to settle"],
  [
    "throws",
    '() => { throw new Error("no luck"); }',
    "The reward “mine” failed: no luck (whetstone.config.ts:9)",
  ],
])("a run whose reward %s ends with a sentence, not with success", async (_what, reward, sentence) => {
  const { code, stderr } = await whetstone(["run"], { folder: temporaryFolder(rewardedBy(reward)) });
  expect(code).toBe(3);
  expect(stderr).toContain(sentence);
});
