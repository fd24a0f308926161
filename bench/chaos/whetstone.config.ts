/** The run that is killed, in the folder where the command runs; the environment says on which engine, and where it kills itself. */
import { join } from "node:path";
import {
  defineRun,
  demonstrations,
  procedural,
  rejectionSampling,
  sampledDecoding,
  samples,
  supervised,
  tabular,
  tiny,
  verifier,
} from "whetstone";
import { lastDigit } from "../last-digit.ts";
import { mortalLocal } from "./mortal-local.ts";
import { atStepBoundaries, onOneSide, selfKill } from "./self-kill.ts";
import { watched } from "./watched-engine.ts";

const {
  CHAOS_ENGINE: engine = "tabular",
  CHAOS_DEATHS: deaths = "none",
  CHAOS_WITHIN: within = "",
  CHAOS_BASELINES: baselines,
} = process.env;
const folder = process.cwd();
const log = join(folder, "deaths.log");
const selfKilling = selfKill(log);
const die = (place: string): void => {
  if (new RegExp(within).test(place)) selfKilling(place);
};
if (deaths !== "none") await atStepBoundaries(deaths === "alternating" ? onOneSide(die, log) : die);
let steps = 0;
const onApplied = (): void => {
  steps += 1;
  if (deaths !== "none" && steps === 10) die("step applied");
};

const onTable = engine === "tabular";
const inner = onTable
  ? tabular({ horizon: 2, backOff: 2, deviation: 0 })
  : mortalLocal(join(folder, "package"));
const training = onTable ? { learningRate: 0.05 } : { learningRate: 3e-3 };

export default defineRun({
  name: "chaos",
  model: tiny({ layers: 1, width: 32, heads: 2 }),
  engine: watched(inner, join(folder, "work.log"), onApplied),
  task: lastDigit({ name: "last digit", maxTokens: 3 }),
  prepare: supervised({ on: demonstrations(), steps: 100, batch: 32, ...training }),
  acquire: [demonstrations({ items: 64 }), procedural({ items: 256 })],
  optimize: rejectionSampling({
    generate: samples({ samples: 4, temperature: 1 }),
    reward: verifier(),
    update: supervised({ steps: 100, batch: 32, ...training }),
  }),
  refine: sampledDecoding(),
  evaluate: { perStratum: 128, auditPerStratum: 64, finalAuditPerStratum: 128 },
  gate: { cap: 400 },
  ...(baselines === "short" ? { baselines } : {}),
  budget: { rounds: Number(process.env.CHAOS_ROUNDS ?? 2) },
});
