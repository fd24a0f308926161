/** An exact number: a fraction in lowest terms, its denominator positive. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** Largest numerator or denominator: results beyond it are refused, so that no short text costs much time. */
const mostBits = 2_048;

/** Undefined where the denominator is 0 or a part is too large. */
export function rational(numerator: bigint, denominator = 1n): Rational | undefined {
  if (denominator === 0n) return undefined;
  const divisor = greatestCommonDivisor(magnitude(numerator), magnitude(denominator));
  const sign = denominator < 0n ? -1n : 1n;
  const reduced = { numerator: (sign * numerator) / divisor, denominator: (sign * denominator) / divisor };
  return bitsOf(reduced.numerator) > mostBits || bitsOf(reduced.denominator) > mostBits ? undefined : reduced;
}

/** Reads `12`, `-1.5`, `.5`, `2e-3`: digits with at most one point and an exponent. Undefined for anything else. */
export function rationalOf(text: string): Rational | undefined {
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/.exec(text);
  if (parts === null || text.length > 2000) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = parts;
  if (whole + fraction === "") return undefined;
  const digits = BigInt(whole + fraction) * (sign === "-" ? -1n : 1n);
  const power = Number(exponent) - fraction.length;
  if (Math.abs(power) > 700) return undefined;
  return power >= 0 ? rational(digits * 10n ** BigInt(power)) : rational(digits, 10n ** BigInt(-power));
}

export function add(a: Rational, b: Rational): Rational | undefined {
  return rational(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);
}

export function multiply(a: Rational, b: Rational): Rational | undefined {
  return rational(a.numerator * b.numerator, a.denominator * b.denominator);
}

export function divide(a: Rational, b: Rational): Rational | undefined {
  return rational(a.numerator * b.denominator, a.denominator * b.numerator);
}

export function negate({ numerator, denominator }: Rational): Rational {
  return { numerator: -numerator, denominator };
}

/** A whole power; undefined where it is too large, or 0 to a negative one. */
export function power(base: Rational, exponent: bigint): Rational | undefined {
  const times = magnitude(exponent);
  const { numerator, denominator } = base;
  const bits = Math.max(bitsOf(numerator), bitsOf(denominator));
  if (bits > 1 && times * BigInt(bits - 1) > BigInt(mostBits)) return undefined;
  // Of 0, 1 and −1 only the parity of the exponent matters.
  const short = bits <= 1 && times > 2n ? 2n + (times % 2n) : times;
  const [above, below] = [numerator ** short, denominator ** short];
  return exponent < 0n ? rational(below, above) : rational(above, below);
}

export function compare(a: Rational, b: Rational): number {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator;
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

/** The nearest double, or one beside it. */
export function toNumber({ numerator, denominator }: Rational): number {
  const shift = Math.max(0, Math.min(bitsOf(numerator), bitsOf(denominator)) - 900);
  const [above, below] = [numerator >> BigInt(shift), denominator >> BigInt(shift)];
  return Number(above) / Number(below);
}

export function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

export function bitsOf(value: bigint): number {
  const hex = magnitude(value).toString(16);
  return hex === "0" ? 0 : (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex.charAt(0), 16)));
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [larger, smaller] = [a, b];
  while (smaller > 0n) [larger, smaller] = [smaller, larger % smaller];
  return larger === 0n ? 1n : larger;
}
