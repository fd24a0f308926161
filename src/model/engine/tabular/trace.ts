import type { Datum, ReturnedLogprobs } from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import { normalise } from "./distribution.ts";
import type { LossTerms } from "./loss.ts";
import { grown, type Table } from "./table.ts";

/** A position that counts, and how the loss changes with the logits there. */
export interface Place {
  readonly tokens: Datum["tokens"];
  readonly position: number;
  /** Of the prefix; used by who adds to its row. */
  readonly node: number;
  readonly target: number;
  /** d(loss)/d(logprob of the target). */
  derivative: number;
}

export interface DatumPass {
  readonly loss: number;
  readonly positions: number;
  readonly logprobs: Float32Array;
}

/** What passes over data have found, kept until all of them are known to be finite. */
export class Trace {
  readonly #table: Table;
  readonly #logits: Float64Array;
  readonly #scratch: Float64Array;
  readonly places: Place[] = [];
  #probabilities: Float64Array = new Float64Array(0);

  constructor(table: Table) {
    this.#table = table;
    this.#logits = new Float64Array(table.options.vocabulary);
    this.#scratch = new Float64Array(table.options.vocabulary);
  }

  clear(): void {
    this.places.length = 0;
  }

  /** d(loss)/d(logits) at a place, written to `out`: impossible tokens have probability 0, and no gradient. */
  slope(place: number, out: Float64Array): void {
    const { target, derivative } = this.places[place] as Place;
    const from = place * out.length;
    for (let token = 0; token < out.length; token++)
      out[token] = -derivative * (this.#probabilities[from + token] as number);
    out[target] = (out[target] as number) + derivative;
  }

  /**
   * One datum's loss. `keep` keeps its places too. Throws `impossible-target` and `non-finite-loss`, which name the datum.
   */
  pass(
    { tokens, targets }: Datum,
    index: number,
    terms: LossTerms,
    returned: ReturnedLogprobs,
    keep: boolean,
  ): DatumPass {
    const logprobs = new Float32Array(returned === "none" ? 0 : tokens.length).fill(Number.NaN);
    const end = returned === "all" ? tokens.length : lastCounted(tokens.length, terms) + 1;
    const exact = new Float64Array(end);
    const first = this.places.length;
    let node = this.#table.index.start;
    for (let position = 0; position < end; position++) {
      const counted = terms.counts(position);
      node = keep
        ? this.#table.index.grow(tokens, position, node)
        : this.#table.index.node(tokens, position, node);
      if (!counted && returned !== "all") continue;
      this.#table.read(this.#logits, tokens, position, node);
      const target = targets[position] as number;
      const logprob = (this.#logits[target] as number) - normalise(this.#logits, this.#scratch);
      if (returned !== "none") logprobs[position] = logprob;
      if (!counted) continue;
      if (logprob === Number.NEGATIVE_INFINITY)
        throw engineError(
          "impossible-target",
          `Datum ${index} wants token ${target} at position ${position}, which generation_config.json rules out.`,
        );
      exact[position] = logprob;
      if (keep) this.#keep({ tokens, position, node, target, derivative: 0 });
    }
    return { ...this.#lossOf(exact, terms, first, index), logprobs };
  }

  #keep(place: Place): void {
    const size = this.#scratch.length;
    this.#probabilities = grown(this.#probabilities, (this.places.length + 1) * size);
    this.#probabilities.set(this.#scratch, this.places.length * size);
    this.places.push(place);
  }

  /** The loss of the logprobs, whose derivatives go to the places from `first` on. */
  #lossOf(exact: Float64Array, terms: LossTerms, first: number, index: number): Omit<DatumPass, "logprobs"> {
    terms.begin?.(exact);
    let [loss, positions] = [0, 0];
    for (const [position, logprob] of exact.entries()) {
      if (!terms.counts(position)) continue;
      const [value, derivative] = terms.at(position, logprob);
      if (!(Number.isFinite(value) && Number.isFinite(derivative)))
        throw engineError(
          "non-finite-loss",
          `The loss of datum ${index} is ${value} at position ${position}: its arrays or the weights are broken.`,
        );
      const place = this.places[first + positions];
      if (place !== undefined) place.derivative = derivative;
      loss += value;
      positions += 1;
    }
    return { loss, positions };
  }
}

function lastCounted(length: number, { counts }: LossTerms): number {
  let position = length - 1;
  while (position >= 0 && !counts(position)) position -= 1;
  return position;
}
