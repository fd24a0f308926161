import { rm } from "node:fs/promises";
import { internalError, isWhetstoneError } from "../../foundation/base/index.ts";
import type {
  Engine,
  EngineModel,
  LoadOptions,
  Policy,
  Sampler,
  Tokenizer,
} from "../../foundation/contract/index.ts";
import { type PolicyStore, turnsOf, type Weights } from "../../gro/method/index.ts";
import type { PolicyCopy } from "../../gro/rollout/index.ts";
import type { RunDefinition } from "./definition.ts";
import { folderDigest, refuseDamaged } from "./folder-digest.ts";

export interface PolicyStoreOptions {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  readonly precision: NonNullable<LoadOptions["precision"]>;
  readonly gradientCheckpointing: boolean;
  /** Adapters to make over the model's folder. */
  readonly lora?: NonNullable<LoadOptions["lora"]>;
  /** Where the checkpoint of that name lies. */
  readonly pathOf: (checkpoint: string) => string;
  /** Training goes on with the moments of the round before; without this they are twice the weights, for nothing. */
  readonly keepMoments: boolean;
  /** Ends the waiting for weights that are loaded; what is saved is waited for. */
  readonly signal?: AbortSignal;
  /** Keeps what a checkpoint's files hold, so that damaged ones are never loaded. */
  readonly digests: {
    readonly get: (checkpoint: string) => string | undefined;
    readonly set: (checkpoint: string, digest: string) => void;
    readonly delete: (checkpoint: string) => void;
  };
}

/** Whether training goes on with the moments of the round before, in any of the rounds. */
export function keepsMoments({ optimize, budget }: Pick<RunDefinition, "optimize" | "budget">): boolean {
  return turnsOf(optimize, budget.rounds).some(({ method }) =>
    method.passes.some(({ update }) => update.optimizerState !== "fresh"),
  );
}

interface Held {
  readonly model: EngineModel;
  readonly weights: Weights;
}

/**
 * The policies that a run trains: one model a role, loaded from a checkpoint, or taken as it is when it was just saved
 * under that name. What a role held before is given back to the engine.
 */
export class EnginePolicies implements PolicyStore, AsyncDisposable {
  readonly #options: PolicyStoreOptions;
  readonly #held = new Map<string, Held>();
  readonly #references = new Map<string, Promise<Sampler>>();
  /** Checkpoints that were looked at in this process. */
  readonly #whole = new Map<string, Promise<void>>();

  constructor(options: PolicyStoreOptions) {
    this.#options = options;
  }

  async open(role: string, weights: Weights): Promise<Policy> {
    const { tokenizer, engine, precision, gradientCheckpointing, pathOf, signal } = this.#options;
    const held = this.#held.get(role);
    if (
      held?.weights.checkpoint === weights.checkpoint &&
      held.weights.optimizerState === weights.optimizerState
    )
      return { role, model: held.model, tokenizer };
    await this.#release(role);
    await this.#check(weights.checkpoint);
    const path = pathOf(weights.checkpoint);
    const load = (optimizer: boolean): Promise<EngineModel> =>
      engine.createModel({
        source: { kind: "checkpoint", path, optimizer },
        precision,
        gradientCheckpointing,
        ...(signal ? { signal } : {}),
        tokenBytes: tokenizer.tokenBytes(),
      });
    const model = await load(weights.optimizerState === "continued").catch((error: unknown) => {
      // An edited run goes on from weights whose moments no round of theirs was to need: they begin at zero.
      if (isWhetstoneError(error) && error.code === "optimizer-missing") return load(false);
      throw error;
    });
    this.#held.set(role, { model, weights });
    return { role, model, tokenizer };
  }

  /** New weights from the model's folder, drawn from `seed` where the folder has none; or adapters over them. */
  async create(role: string, folder: string, seed: number | undefined): Promise<Policy> {
    const { tokenizer, engine, precision, gradientCheckpointing, lora, signal } = this.#options;
    await this.#release(role);
    const model = await engine.createModel({
      source: { kind: "folder", path: folder, ...(seed === undefined ? {} : { seed }) },
      precision,
      gradientCheckpointing,
      ...(signal ? { signal } : {}),
      ...(lora === undefined ? {} : { lora }),
      tokenBytes: tokenizer.tokenBytes(),
    });
    this.#held.set(role, { model, weights: { checkpoint: "", optimizerState: "fresh" } });
    return { role, model, tokenizer };
  }

  async copy(role: string, checkpoint: string): Promise<PolicyCopy> {
    await this.#check(checkpoint);
    const { tokenizer, engine, precision, gradientCheckpointing, pathOf, signal } = this.#options;
    const model = await engine.createModel({
      source: { kind: "checkpoint", path: pathOf(checkpoint), optimizer: false },
      precision,
      gradientCheckpointing,
      ...(signal ? { signal } : {}),
      tokenBytes: tokenizer.tokenBytes(),
    });
    return { policy: { role, model, tokenizer }, [Symbol.asyncDispose]: () => model[Symbol.asyncDispose]() };
  }

  async save(
    role: string,
    checkpoint: string,
    { unfinished = false }: { readonly unfinished?: boolean } = {},
  ): Promise<void> {
    const held = this.#held.get(role);
    if (held === undefined) throw internalError(`the role ${role} holds no weights to save`);
    // What lies there without a finished step was left by an interruption.
    await rm(this.#options.pathOf(checkpoint), { recursive: true, force: true });
    await held.model.save({
      path: this.#options.pathOf(checkpoint),
      optimizer: unfinished || this.#options.keepMoments,
    });
    this.#held.set(role, { model: held.model, weights: { checkpoint, optimizerState: "continued" } });
    const digest = await folderDigest(this.#options.pathOf(checkpoint));
    if (digest !== null) this.#options.digests.set(checkpoint, digest);
    this.#whole.set(checkpoint, Promise.resolve());
  }

  async discard(checkpoint: string): Promise<void> {
    const { pathOf, digests } = this.#options;
    // Not there, and yet to be whole, would be a loss.
    digests.delete(checkpoint);
    this.#whole.delete(checkpoint);
    await rm(pathOf(checkpoint), { recursive: true, force: true });
  }

  /** Throws a user error `checkpoint-damaged` where the files are not those that were saved. */
  #check(checkpoint: string): Promise<void> {
    const known = this.#whole.get(checkpoint) ?? this.#compare(checkpoint);
    this.#whole.set(checkpoint, known);
    return known;
  }

  async #compare(checkpoint: string): Promise<void> {
    const { digests, pathOf } = this.#options;
    const saved = digests.get(checkpoint);
    if (saved !== undefined) await refuseDamaged(pathOf(checkpoint), saved);
  }

  /** What is measured is what was saved: the sampler is loaded from the checkpoint's files. */
  async sampler(checkpoint: string): Promise<Sampler> {
    await this.#check(checkpoint);
    const { engine, precision, pathOf, tokenizer, signal } = this.#options;
    return engine.loadSampler({
      source: { kind: "checkpoint", path: pathOf(checkpoint), optimizer: false },
      precision,
      ...(signal ? { signal } : {}),
      tokenBytes: tokenizer.tokenBytes(),
    });
  }

  reference(checkpoint: string): Promise<Sampler> {
    const held = this.#references.get(checkpoint) ?? this.sampler(checkpoint);
    this.#references.set(checkpoint, held);
    held.catch(() => this.#references.delete(checkpoint));
    return held;
  }

  async releaseReferences(): Promise<void> {
    const held = [...this.#references.values()];
    this.#references.clear();
    // One that could not be loaded, or was not waited for, needs no giving back.
    await Promise.all(
      held.map((one) =>
        one.then(
          (sampler) => sampler[Symbol.asyncDispose](),
          () => undefined,
        ),
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.releaseReferences();
    await Promise.all([...this.#held.keys()].map((role) => this.#release(role)));
  }

  async #release(role: string): Promise<void> {
    const held = this.#held.get(role);
    this.#held.delete(role);
    await held?.model[Symbol.asyncDispose]();
  }
}
