/**
 * The floors and arrows of the house (ARCHITECTURE.md), checked on every import, types included. A floor may import any
 * floor below it. Inside a floor, a room may import the rooms of the steps before its own, never a neighbour of its own
 * step. A new room is one more word in this table.
 */
const floors = {
  foundation: [["base"], ["contract", "statistics"], ["ledger"]],
  model: [["text"], ["engine"], ["hub", "chat"]],
  world: [["sandbox"], ["task"]],
  gro: [["rollout"], ["generate", "reward", "update"], ["method"]],
  lifecycle: [
    ["acquire", "select"],
    ["optimize", "refine", "evaluate", "guard"],
  ],
  loop: [["probes"], ["gate", "director", "oversight"], ["certificate"], ["round"], ["run"]],
  surface: [["report", "server"], ["cli"]],
};

const test = "[.]test(-d)?[.]ts$";
const publicApi = ["^src/(index|testing)[.]ts$", "^src/index[.]test[.]ts$", "^src/index[.]test-d[.]ts$"];
const names = Object.keys(floors);
const anyOf = (list) => `(${list.join("|")})`;
/** A room is a folder, or a file with its test beside it: `loop/oversight/`, `loop/gate.ts`, `loop/gate.test.ts`. */
const room = (floor, rooms) => `^src/${floor}/${anyOf(rooms)}[./]`;

const floorRules = names.slice(0, -1).map((floor, index) => ({
  name: `floor-${floor}`,
  severity: "error",
  comment: `${floor} may import only ${[...names.slice(0, index), floor].join(", ")}: never a floor above it.`,
  from: { path: `^src/${floor}/` },
  to: { path: `^src/${anyOf(names.slice(index + 1))}/` },
}));

const roomRules = Object.entries(floors).flatMap(([floor, steps]) =>
  steps.flatMap((step, index) =>
    step.map((name) => {
      const reachable = [name, ...steps.slice(0, index).flat()];
      return {
        name: `room-${floor}-${name}`,
        severity: "error",
        comment: `${floor}/${name} may import, on its own floor, only ${reachable.join(", ")}.`,
        from: { path: room(floor, [name]) },
        to: { path: `^src/${floor}/`, pathNot: room(floor, reachable) },
      };
    }),
  ),
);

module.exports = {
  forbidden: [
    ...floorRules,
    ...roomRules,
    {
      name: "known-rooms",
      severity: "error",
      comment:
        "A file of src/ stands in a room of the table above (or is a floor's index.ts, or src/index.ts).",
      from: {
        path: "^src/",
        pathNot: [
          ...publicApi,
          `^src/${anyOf(names)}/index[.]ts$`,
          ...Object.entries(floors).map(([floor, steps]) => room(floor, steps.flat())),
        ],
      },
      to: {},
    },
    {
      name: "public-api-on-top",
      severity: "error",
      comment: "src/index.ts and src/testing.ts import everything; nothing in src imports them.",
      from: { path: "^src/", pathNot: "^src/index[.]test(-d)?[.]ts$" },
      to: { path: "^src/(index|testing)[.]ts$" },
    },
    {
      name: "engines-apart",
      severity: "error",
      comment:
        "Engines do not know each other, and the conformance kit knows none; an engine's tests run the kit.",
      from: {
        path: "^src/model/engine/([^/]+)/",
        pathNot: [test, "^src/model/engine/(serve|tinker/probe)/"],
      },
      to: { path: "^src/model/engine/[^/]+/", pathNot: "^src/model/engine/$1/" },
    },
    {
      name: "probe-knows-the-kit",
      severity: "error",
      comment: "A client tries a server with the conformance kit, and knows no other engine.",
      from: { path: "^src/model/engine/tinker/probe/", pathNot: test },
      to: { path: "^src/model/engine/[^/]+/", pathNot: "^src/model/engine/(tinker|conformance)/" },
    },
    {
      name: "server-knows-the-wire",
      severity: "error",
      comment: "The wire server stands in front of any engine: it knows the wire, and no engine.",
      from: { path: "^src/model/engine/serve/", pathNot: [test, "/testing/"] },
      to: { path: "^src/model/engine/[^/]+/", pathNot: "^src/model/engine/(serve|tinker|recovery)/" },
    },
    {
      name: "engines-apart-in-tests",
      severity: "error",
      comment:
        "An engine's tests may run the conformance kit, and still know no other engine, except where what they test stands before any.",
      from: {
        path: `^src/model/engine/([^/]+)/.*${test}`,
        pathNot: "^src/model/engine/(serve|tinker|recovery)/",
      },
      to: { path: "^src/model/engine/[^/]+/", pathNot: "^src/model/engine/($1|conformance)/" },
    },
    {
      name: "public-api-only",
      severity: "error",
      comment:
        "Examples and benches use what a stranger can use: the public API. The engine's bench also asks where its environment is, and knocks on inner doors; the gate's and theory's draw from seeded streams and judge by the system's own statistics; that of lineage fills a ledger without a run; that of exactness draws what a step draws and reads saved weights, and so does the exact column of methods, whose proposers that learn nothing are written with the part for it; that of the faulty demo reads its last words.",
      from: {
        path: "^(examples|bench)/",
        pathNot:
          "^bench/(engine/(environment|model|small-decoder|door|start|wire)|math-rl/environment|chaos/mortal-local|gate/[^/]+|theory/[^/]+|exact/(preference|policy|measure)|methods/(exact|unfiltered)|demo-faults/judge-demo|lineage/large-ledger)[.]ts$",
      },
      to: { path: "^src/", pathNot: "^src/(index|testing)[.]ts$" },
    },
    {
      name: "shipped-alone",
      severity: "error",
      comment: "The package does not need what is not shipped.",
      from: { path: "^src/" },
      to: { path: "^(tests|bench|examples|scripts)/" },
    },
    {
      name: "no-cycles",
      severity: "error",
      comment: "Files that import each other in a circle are one file, or need a third.",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-unresolved",
      severity: "error",
      comment: "The import leads nowhere.",
      from: {},
      to: { couldNotResolve: true, pathNot: "^whetstone(/testing)?$" },
    },
    {
      name: "foundation-stands-alone",
      severity: "error",
      comment: "foundation uses Node itself, zod and fastest-levenshtein.",
      from: { path: "^src/foundation/", pathNot: test },
      to: {
        dependencyTypesNot: ["core", "local"],
        pathNot: ["^src/", "^node_modules/(zod|fastest-levenshtein)/"],
      },
    },
    {
      name: "terminal-only-in-cli",
      severity: "error",
      comment: "Only surface/cli knows flags and prompts.",
      from: { path: "^(src|bin)/", pathNot: "^src/surface/cli/" },
      to: { path: "^node_modules/(@stricli|@clack)/" },
    },
    {
      name: "tokenizers-only-in-text",
      severity: "error",
      comment: "Tokenizing is model/text's work; everybody else has the Tokenizer of the contract.",
      from: { path: "^src/", pathNot: "^src/model/text/" },
      to: { path: "^node_modules/@huggingface/tokenizers/" },
    },
    {
      name: "network-only-in-hub",
      severity: "error",
      comment: "Models come from model/hub: nothing else asks the network for one.",
      from: { path: "^src/", pathNot: "^src/model/hub/" },
      to: { path: "^node_modules/@huggingface/hub/" },
    },
    {
      name: "no-development-packages",
      severity: "error",
      comment: "What is shipped imports only what package.json lists under dependencies.",
      from: { path: "^(src|bin)/", pathNot: test },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], pathNot: "^node_modules/@types/" },
    },
  ],
  options: {
    doNotFollow: { path: ["^node_modules", "^dist"] },
    exclude: { path: ["/[.]whetstone/"] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.check.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
    },
  },
};
