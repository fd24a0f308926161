import { type Json, randomStream } from "../../../foundation/base/index.ts";
import type { Example, Item, Policy, ScoredGroup, Task } from "../../../foundation/contract/index.ts";
import { reverse } from "../../../world/task/index.ts";
import {
  FakeModel,
  FakeSampler,
  itemOf,
  letters,
  policyOf,
  type Speak,
} from "../../rollout/testing/fakes.ts";
import type { MethodContext, PolicyStore, Training, Weights } from "../context.ts";

const seed = 9;

/** Items so that a pass which takes some of them at a time, the first of its method, takes them in this order. */
export function takenInOrder(items: readonly Item[]): Item[] {
  const order = randomStream(seed, "optimize")
    .fork("pass-0/order")
    .shuffle([...items.keys()]);
  const arranged = [...items];
  for (const [place, from] of order.entries()) arranged[from] = items[place] as Item;
  return arranged;
}

/** What outlives a process: finished steps, stored rollouts. */
export class FakeLedger {
  readonly steps = new Map<string, Json>();
  readonly artifacts = new Map<string, readonly ScoredGroup[]>();
  /** What was learnt from, a stretch of training each. */
  readonly trainings: Training[] = [];
  /** Steps whose work was done, in the order in which they ended. */
  readonly done: string[] = [];

  durable = async <T extends Json>(name: string, work: () => Promise<T>): Promise<T> => {
    if (this.steps.has(name)) return JSON.parse(JSON.stringify(this.steps.get(name))) as T;
    const result = await work();
    this.steps.set(name, result);
    this.done.push(name);
    return result;
  };
}

/** Policies of one process: a model is loaded anew unless it is held just so. */
export class FakePolicies implements PolicyStore {
  readonly opened: (Weights & { readonly role: string })[] = [];
  readonly saved: { readonly role: string; readonly checkpoint: string }[] = [];
  readonly discarded: string[] = [];
  /** Every model that was loaded, by role, in order. */
  readonly models = new Map<string, FakeModel[]>();
  readonly #held = new Map<string, { model: FakeModel; weights: Weights }>();
  readonly #speak: Speak;
  readonly #prepareModel: (model: FakeModel) => void;

  constructor(speak: Speak, prepareModel: (model: FakeModel) => void = () => {}) {
    this.#speak = speak;
    this.#prepareModel = prepareModel;
  }

  async open(role: string, weights: Weights): Promise<Policy> {
    this.opened.push({ role, ...weights });
    const held = this.#held.get(role);
    if (
      held !== undefined &&
      held.weights.checkpoint === weights.checkpoint &&
      held.weights.optimizerState === weights.optimizerState
    )
      return policyOf(held.model, role);
    const model = new FakeModel({ speak: this.#speak, weights: weights.checkpoint });
    this.#prepareModel(model);
    this.models.set(role, [...(this.models.get(role) ?? []), model]);
    this.#held.set(role, { model, weights });
    return policyOf(model, role);
  }

  async save(role: string, checkpoint: string): Promise<void> {
    this.saved.push({ role, checkpoint });
    const held = this.#held.get(role);
    if (held !== undefined)
      this.#held.set(role, { model: held.model, weights: { checkpoint, optimizerState: "continued" } });
  }

  readonly references: FakeSampler[] = [];

  async reference(checkpoint: string): Promise<FakeSampler> {
    const sampler = new FakeSampler(this.#speak, checkpoint);
    this.references.push(sampler);
    return sampler;
  }

  async releaseReferences(): Promise<void> {
    for (const sampler of this.references) await sampler[Symbol.asyncDispose]();
  }

  /** Copies that were trained and given back, or not. */
  readonly copies: FakeModel[] = [];

  async copy(role: string, checkpoint: string) {
    const model = new FakeModel({ speak: this.#speak, weights: checkpoint });
    this.copies.push(model);
    return { policy: policyOf(model, role), [Symbol.asyncDispose]: () => model[Symbol.asyncDispose]() };
  }

  async discard(checkpoint: string): Promise<void> {
    this.discarded.push(checkpoint);
  }

  /** Attempts at an item, over all models. */
  get prompts(): number {
    return this.all.flatMap(({ samplers }) => samplers.flatMap(({ calls }) => calls.flat())).length;
  }

  get all(): FakeModel[] {
    return [...this.models.values()].flat();
  }
}

export interface FakeRound {
  readonly ledger?: FakeLedger;
  readonly policies: FakePolicies;
  readonly items?: readonly Item[];
  readonly base?: readonly Example[];
  readonly task?: Task;
  readonly signal?: AbortSignal;
  readonly onProgress?: MethodContext["onProgress"];
}

/** A round in which the roles solver and peer stand at `current-*`, began at `base-*`, and have champions `champion-*`. */
export function fakeRound({ ledger = new FakeLedger(), policies, ...rest }: FakeRound): MethodContext {
  const {
    task = reverse({ lengths: [1, 4] }),
    items = ["12", "34", "56"].map((prompt) => itemOf(`${prompt}=`)),
  } = rest;
  return {
    task,
    tokenizer: letters,
    items,
    base: rest.base ?? [],
    older: [],
    current: { solver: "current-solver", peer: "current-peer" },
    baseWeights: { solver: "base-solver", peer: "base-peer" },
    championWeights: { solver: "champion-solver", peer: "champion-peer" },
    policies,
    random: randomStream(seed, "optimize"),
    checkpointName: (role, label) => `${role}-${label}`,
    durable: ledger.durable,
    durablePart: ledger.durable,
    storeGroups: async (groups) => {
      const artifact = `artifact-${ledger.artifacts.size}`;
      ledger.artifacts.set(artifact, groups);
      return artifact;
    },
    readGroups: async (artifact) => ledger.artifacts.get(artifact) ?? [],
    forgetGroups: async (artifact) => void ledger.artifacts.delete(artifact),
    storeTraining: async (training) => `record-${ledger.trainings.push(training)}`,
    ...(rest.signal ? { signal: rest.signal } : {}),
    ...(rest.onProgress ? { onProgress: rest.onProgress } : {}),
  };
}
