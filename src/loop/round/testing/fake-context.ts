import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "../../../foundation/base/index.ts";
import type {
  Engine,
  EngineCapabilities,
  Progress,
  StoredEvent,
  Tolerance,
} from "../../../foundation/contract/index.ts";
import { type Ledger, openLedger } from "../../../foundation/ledger/index.ts";
import { greedy } from "../../../gro/generate/index.ts";
import { gro } from "../../../gro/method.ts";
import { verifier } from "../../../gro/reward/index.ts";
import { FakeModel, FakeSampler, letters, type Speak } from "../../../gro/rollout/testing/fakes.ts";
import { supervised } from "../../../gro/update/index.ts";
import { defaults } from "../../../lifecycle/guard/index.ts";
import { greedyDecoding } from "../../../lifecycle/refine/index.ts";
import { reverse } from "../../../world/task/index.ts";
import type { RoundContext } from "../context.ts";
import type { RunDefinition } from "../definition.ts";
import { EnginePolicies } from "../policies.ts";
import { SamplerShelf } from "../sampler-shelf.ts";
import type { Lineage } from "../state.ts";

export const lineageOf = (checkpoint: string, rest: Partial<Lineage> = {}): Lineage => ({
  round: 0,
  checkpoints: { solver: checkpoint },
  trainedTo: 8,
  rollouts: [],
  selections: [],
  ...rest,
});

const unused = (): never => {
  throw new Error("a test does not open this");
};

/** A run of reverse with every part at its default, and an engine that nobody opens. */
export const definitionOf = (rest: Partial<RunDefinition> = {}): RunDefinition => ({
  name: "reverse",
  model: { name: "fake", description: {}, prepare: unused },
  engine: { name: "fake", description: {}, open: unused },
  task: reverse({ lengths: [1, 8], growTo: 10, measureTo: 11 }),
  prepare: null,
  acquire: [],
  select: [],
  optimize: gro({ generate: greedy(), reward: verifier(), update: supervised({ steps: 2, batch: 2 }) }),
  refine: greedyDecoding(),
  evaluate: {
    over: "difficulty",
    perStratum: 8,
    auditPerStratum: 4,
    finalAuditPerStratum: 8,
    attemptItems: 0,
  },
  guard: defaults(),
  gate: { mode: "decide", alpha: 0.05, cap: 200, reusedOpenings: 4 },
  afterReject: "candidate",
  budget: { rounds: 3 },
  oversight: { ask: [], whileWaiting: "stop" },
  precision: "fp32",
  gradientCheckpointing: false,
  seed: 1,
  ...rest,
});

const tolerance: Tolerance = { logprob: 1e-4, meanLogprob: 1e-4, gradient: 1e-4 };

const capabilities: EngineCapabilities = {
  engine: "fake",
  device: "none",
  losses: ["cross_entropy"],
  optimizers: ["adamw"],
  precisions: ["fp32"],
  architectures: [],
  stopStrings: false,
  topK: false,
  loraRank: 0,
  gradientCheckpointing: false,
  topLogprobs: 0,
  extensions: [],
  untested: [],
  workers: 1,
  tolerance: { fp32: tolerance, mixed: tolerance, bf16: tolerance },
};

export interface FakeContextOptions {
  readonly definition?: Partial<RunDefinition>;
  /** What each checkpoint's weights say; all others reverse rightly. */
  readonly speak?: Readonly<Record<string, Speak>>;
  readonly clock?: Clock;
}

/** A round's context over a real ledger in a folder of its own. */
export class FakeContext implements Disposable {
  /** What was charged for openings on reused items. */
  readonly charged: number[] = [];
  readonly folder = mkdtempSync(join(tmpdir(), "round-"));
  readonly seen: (StoredEvent | Progress)[] = [];
  /** Samplers by checkpoint, in the order in which they were loaded. */
  readonly samplers = new Map<string, FakeSampler>();
  readonly models: FakeModel[] = [];
  /** Set, it ends the round at the next safe point. */
  stop: Error | undefined;
  context: RoundContext;
  #ledger: Ledger;
  readonly #options: FakeContextOptions;

  constructor(options: FakeContextOptions = {}) {
    this.#options = options;
    this.#ledger = openLedger({ folder: this.folder });
    this.#ledger.startRun({ name: "reverse", configHash: "c", description: null, seed: 1, origin: null });
    this.context = this.#contextOf();
  }

  /** As another process would go on: nothing is in memory but what the ledger holds. */
  reopen(): void {
    this.#ledger[Symbol.dispose]();
    this.samplers.clear();
    this.#ledger = openLedger({ folder: this.folder });
    this.context = this.#contextOf();
  }

  /** Prompts that a checkpoint was asked. */
  promptsOf(checkpoint: string): string[] {
    return (this.samplers.get(checkpoint)?.calls ?? []).flat().map(({ prompt }) => letters.decode(prompt));
  }

  [Symbol.dispose](): void {
    this.#ledger[Symbol.dispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #contextOf(): RoundContext {
    const { definition, clock = systemClock } = this.#options;
    const ledger = this.#ledger;
    const engine: Engine = {
      name: "fake",
      capabilities: async () => capabilities,
      createModel: async () => {
        const model = new FakeModel();
        this.models.push(model);
        return model;
      },
      loadSampler: async ({ source }) => this.#sampler(source.path),
      cost: () => ({
        busySeconds: 1,
        availableSeconds: 2,
        tokensSampled: 3,
        tokensTrained: 4,
        optimizerSteps: 5,
      }),
      [Symbol.asyncDispose]: async () => {},
    };
    const policies = new EnginePolicies({
      keepMoments: true,
      digests: { get: () => undefined, set: () => {}, delete: () => {} },
      engine,
      tokenizer: letters,
      precision: "fp32",
      gradientCheckpointing: false,
      pathOf: (name) => ledger.checkpointPath(name),
    });
    return {
      definition: definitionOf(definition),
      ledger,
      run: ledger.openRun(ledger.runs().at(-1) ?? unused()),
      engine,
      capabilities,
      tokenizer: letters,
      policies,
      samplers: new SamplerShelf({
        load: async (checkpoint) => this.#sampler(checkpoint),
        tokenizer: letters,
      }),
      clock,
      watch: (event) => this.seen.push(event),
      cost: () => ({ ...engine.cost(), wallSeconds: 6 }),
      sealCost: () => (charged) => void this.charged.push(charged),
      safePoint: () => {
        if (this.stop !== undefined) throw this.stop;
      },
      withinBudget: () => {},
      oversight: {},
    };
  }

  #sampler(checkpoint: string): FakeSampler {
    const rightly: Speak = (prompt) => [...prompt.slice(0, -1)].reverse().join("");
    const sampler = new FakeSampler(this.#options.speak?.[checkpoint] ?? rightly, checkpoint);
    this.samplers.set(checkpoint, sampler);
    return sampler;
  }
}
