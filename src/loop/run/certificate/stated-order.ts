import { userError } from "../../../foundation/base/index.ts";
import type { Task } from "../../../foundation/contract/index.ts";
import { itemDigest, splitOfDigest } from "../../../world/task/index.ts";
import type { Decided } from "../../certificate/schema.ts";
import { type Blocks, decisionItemsOf } from "../../round/decide/block-parts.ts";

/**
 * Stands in for a ledger that is not here, where items are drawn again from a seed: what the certificate does not list next is
 * taken to be used by an opening before it, and counted.
 */
export class StatedOrder {
  readonly #decided: Decided;
  readonly #task: Task;
  readonly #blocks: Blocks;
  /** Digests of what was answered already in this measurement: a probe passes over what the gate has used. */
  readonly #used = new Set<string>();
  /** Other decision items that were passed over. */
  passed = 0;

  constructor(decided: Decided, task: Task, blocks: Blocks) {
    this.#decided = decided;
    this.#task = task;
    this.#blocks = blocks;
  }

  /** Hears what is answered, as a ledger does. */
  use(canonicals: readonly string[]): void {
    const { name, version } = this.#task;
    for (const canonical of canonicals) this.#used.add(itemDigest(name, version, canonical));
  }

  /**
   * What a stratum's draw passes over, under the key and for the owner that a ledger would be asked with. Throws a user error
   * `ledger-missing` for a file whose earlier openings decide its order.
   */
  passedOver(key: string, owner: string): ReadonlySet<string> {
    const { opening, probes } = this.#decided;
    const stratum = key.slice(decisionItemsOf(this.#task).length + 1);
    const known = this.#task.strata.find(({ name }) => name === stratum);
    const reused = owner.endsWith("/probes")
      ? probes.some((probe) => probe.stratum === stratum && probe.reused)
      : opening.reused;
    // All of them are used at every opening, and none was fresh before.
    if (reused) return new Set();
    if (known?.splits !== undefined) {
      if (opening.opening === 1) return new Set();
      throw userError(
        "ledger-missing",
        "The order of a file's items depends on those that earlier openings used: measure again in the project folder, with its ledger.",
      );
    }
    return new PassedOver(this.#task, this.#listed(stratum, owner), (digest) => {
      if (!this.#used.has(digest)) this.passed += 1;
    });
  }

  /** Digests of a stratum, in the order in which they were drawn. */
  #listed(stratum: string, owner: string): readonly string[] {
    const { items } = this.#decided;
    if (owner.endsWith("/probes")) return items.probes.find(({ probe }) => probe === stratum)?.items ?? [];
    let first = 0;
    for (const { strata, count } of this.#blocks.parts) {
      const [from, to] = [first, first + count];
      if (strata.some(({ name }) => name === stratum))
        return items.blocks.flatMap((block) => block.slice(from, to));
      first = to;
    }
    return [];
  }
}

/** Everything but the next item that is listed; once all were drawn, nothing. */
class PassedOver extends Set<string> {
  readonly #task: Task;
  readonly #listed: readonly string[];
  readonly #pass: (digest: string) => void;
  /** Digests that were met: one that is drawn twice is passed over once. */
  readonly #met = new Set<string>();
  #next = 0;

  constructor(task: Task, listed: readonly string[], pass: (digest: string) => void) {
    super();
    this.#task = task;
    this.#listed = listed;
    this.#pass = pass;
  }

  override has(canonical: string): boolean {
    if (this.#next >= this.#listed.length) return false;
    const { name, version } = this.#task;
    const digest = itemDigest(name, version, canonical);
    const isNext = digest === this.#listed[this.#next];
    if (isNext) this.#next += 1;
    // A draw leaves out by itself what it gave before.
    else if (!this.#met.has(digest) && splitOfDigest(digest) === "decision") this.#pass(digest);
    this.#met.add(digest);
    return !isNext;
  }
}
