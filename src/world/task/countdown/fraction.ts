/** A rational number, not reduced; the denominator is never 0 and may be negative. Exact while both fit 53 bits. */
export interface Fraction {
  readonly over: number;
  readonly under: number;
}

export type Sign = "+" | "-" | "*" | "/";
export const signs: readonly Sign[] = ["+", "-", "*", "/"];

export function whole(value: number): Fraction {
  return { over: value, under: 1 };
}

/** Undefined where it would be divided by 0. */
export function combine(left: Fraction, sign: Sign, right: Fraction): Fraction | undefined {
  switch (sign) {
    case "+":
      return { over: left.over * right.under + right.over * left.under, under: left.under * right.under };
    case "-":
      return { over: left.over * right.under - right.over * left.under, under: left.under * right.under };
    case "*":
      return { over: left.over * right.over, under: left.under * right.under };
    case "/":
      return right.over === 0 ? undefined : { over: left.over * right.under, under: left.under * right.over };
  }
}

export function equals({ over, under }: Fraction, value: number): boolean {
  return over === value * under;
}
