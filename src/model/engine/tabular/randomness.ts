/**
 * Random numbers that depend only on (seed, sample index, position): SplitMix64 (Steele, Lea and Flood, 2014) as a hash,
 * the same numbers as `torch-engine/whetstone_engine/randomness.py`. A 64-bit number is a pair of 32-bit halves here,
 * because BigInt is some fifty times slower.
 */

const goldenHigh = 0x9e3779b9;
const goldenLow = 0x7f4a7c15;

/** A 64-bit state that the functions of this file work on in place. */
export class Word64 {
  high = 0;
  low = 0;

  set(high: number, low: number): this {
    this.high = high | 0;
    this.low = low | 0;
    return this;
  }

  /** A non-negative integer below 2^53. */
  setInteger(value: number): this {
    return this.set(Math.floor(value / 2 ** 32), value);
  }

  add(high: number, low: number): this {
    const sum = (this.low >>> 0) + (low >>> 0);
    this.high = (this.high + high + (sum >= 2 ** 32 ? 1 : 0)) | 0;
    this.low = sum | 0;
    return this;
  }

  /** Adds `count` times the golden ratio of 2^64; `count` below 2^53. */
  addGolden(count: number): this {
    const high = Math.floor(count / 2 ** 32) | 0;
    const low = count | 0;
    return this.add(productHigh(goldenHigh, goldenLow, high, low), Math.imul(goldenLow, low));
  }

  multiply(high: number, low: number): this {
    return this.set(productHigh(this.high, this.low, high, low), Math.imul(this.low, low));
  }

  /** x ^ (x >> bits), for bits below 32. */
  xorShift(bits: number): this {
    const low = this.low ^ ((this.low >>> bits) | (this.high << (32 - bits)));
    return this.set(this.high ^ (this.high >>> bits), low);
  }

  /** The finaliser of SplitMix64. */
  mix(): this {
    return this.xorShift(30)
      .multiply(0xbf58476d, 0x1ce4e5b9)
      .xorShift(27)
      .multiply(0x94d049bb, 0x133111eb)
      .xorShift(31);
  }
}

/** The upper half of a 64-bit product, modulo 2^64. */
function productHigh(aHigh: number, aLow: number, bHigh: number, bLow: number): number {
  return (carried(aLow, bLow) + Math.imul(aLow, bHigh) + Math.imul(aHigh, bLow)) | 0;
}

/** The upper half of the product of two unsigned 32-bit numbers, by halves of 16 bits that a double holds exactly. */
function carried(a: number, b: number): number {
  const [a0, a1] = [a & 0xffff, a >>> 16];
  const [b0, b1] = [b & 0xffff, b >>> 16];
  const middle = a1 * b0 + Math.floor((a0 * b0) / 0x10000);
  return a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(((middle % 0x10000) + a0 * b1) / 0x10000);
}

const state = new Word64();

/** What is common to all positions of a sample. `seed` below 2^48, `sample` below 2^31. */
export function sampleKey(seed: number, sample: number): Word64 {
  return new Word64().setInteger(seed).addGolden(1).mix().addGolden(sample).add(0, 1).mix();
}

/** A uniform number in [0, 1) of 24 bits, for a position of the response from 0. */
export function uniformAt({ high, low }: Word64, position: number): number {
  return (
    (state
      .set(high, low)
      .addGolden(position + 1)
      .mix().high >>>
      8) /
    2 ** 24
  );
}

/** A standard normal number that depends only on key and index (Box and Muller, 1958). */
export function normalAt({ high, low }: Word64, index: number): number {
  state
    .set(high, low)
    .addGolden(index + 1)
    .mix();
  const radius = Math.sqrt(-2 * Math.log(((state.high >>> 0) + 0.5) / 2 ** 32));
  return radius * Math.cos((2 * Math.PI * (state.low >>> 0)) / 2 ** 32);
}
