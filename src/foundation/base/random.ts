import { createHash } from "node:crypto";

/**
 * A named, seeded stream of random numbers (xoshiro128**, Blackman and Vigna, arXiv 1805.01407). The same seed and name
 * give the same numbers on every machine; streams of different names are independent, so adding a consumer never shifts
 * another's numbers. `state` and {@link resumeStream} make a stream serialisable.
 */
export interface RandomStream {
  readonly name: string;
  /** Uniform in [0, 1), 32 bits. */
  uniform(): number;
  /** Uniform integer in [low, high], both included. */
  integer(low: number, high: number): number;
  /** A uniformly chosen member; throws RangeError on an empty list. */
  pick<T>(members: readonly T[]): T;
  /** A new list in random order. */
  shuffle<T>(members: readonly T[]): T[];
  /** An independent stream named `<name>/<child>`, the same however much was drawn from this one. */
  fork(child: string | number): RandomStream;
  /** A non-negative 48-bit integer, for engines that take a seed. */
  seed(): number;
  state(): RandomState;
}

export interface RandomState {
  readonly key: string;
  readonly name: string;
  readonly words: readonly [number, number, number, number];
}

type Words = [number, number, number, number];

function wordsOf(key: string, name: string): Words {
  const digest = createHash("sha256").update(`${key}\u0000${name}`).digest();
  return [
    digest.readUInt32LE(0),
    digest.readUInt32LE(4),
    digest.readUInt32LE(8),
    digest.readUInt32LE(12) | 1,
  ];
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function streamOf(key: string, name: string, words: Words): RandomStream {
  const next = (): number => {
    const result = Math.imul(rotateLeft(Math.imul(words[1], 5), 7), 9) >>> 0;
    const shifted = words[1] << 9;
    words[2] ^= words[0];
    words[3] ^= words[1];
    words[1] ^= words[2];
    words[0] ^= words[3];
    words[2] ^= shifted;
    words[3] = rotateLeft(words[3], 11);
    return result;
  };
  const integer = (low: number, high: number): number => {
    const span = high - low + 1;
    if (!Number.isInteger(span) || span < 1 || span > 2 ** 32)
      throw new RangeError(`no integer in [${low}, ${high}]`);
    const limit = 2 ** 32 - (2 ** 32 % span);
    for (;;) {
      const value = next();
      if (value < limit) return low + (value % span);
    }
  };
  return {
    name,
    uniform: () => next() / 2 ** 32,
    integer,
    pick: (members) => {
      if (members.length === 0) throw new RangeError("nothing to pick from");
      return members[integer(0, members.length - 1)] as (typeof members)[number];
    },
    shuffle: (members) => {
      const shuffled = [...members];
      for (let index = shuffled.length - 1; index > 0; index--) {
        const other = integer(0, index);
        [shuffled[index], shuffled[other]] = [shuffled[other] as never, shuffled[index] as never];
      }
      return shuffled;
    },
    fork: (child) => randomStream(key, `${name}/${child}`),
    seed: () => (next() & 0xffff) * 2 ** 32 + next(),
    state: () => ({ key, name, words: [...words] }),
  };
}

/** Opens the stream `name` of a seed. */
export function randomStream(seed: number | string, name: string): RandomStream {
  const key = String(seed);
  return streamOf(key, name, wordsOf(key, name));
}

/** Goes on from a stored state. */
export function resumeStream(state: RandomState): RandomStream {
  return streamOf(state.key, state.name, [...state.words]);
}
