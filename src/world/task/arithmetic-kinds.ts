/** One kind of question of `arithmetic`, about two whole numbers. */
export interface ArithmeticKind {
  /** As it stands in prompts and in canonical forms. */
  readonly sign: string;
  /** Least and greatest operand, unless the options say otherwise. */
  readonly range: readonly [low: number, high: number];
  /** Whether the operands may change places; else the greater stands first. */
  readonly commutes: boolean;
  solve(left: number, right: number): number;
  /** The answer again, by counting and nothing else: what the verifier is tested with. */
  count(left: number, right: number): number;
}

const arithmeticKinds = {
  product: {
    sign: "*",
    range: [2, 12],
    commutes: true,
    solve: (left, right) => left * right,
    count: (left, right) => {
      let sum = 0;
      for (let times = 0; times < right; times++) sum += left;
      return sum;
    },
  },
  sum: {
    sign: "+",
    range: [1, 99],
    commutes: true,
    solve: (left, right) => left + right,
    count: (left, right) => {
      let sum = left;
      for (let times = 0; times < right; times++) sum += 1;
      return sum;
    },
  },
  difference: {
    sign: "-",
    range: [1, 49],
    commutes: false,
    solve: (left, right) => left - right,
    count: (left, right) => {
      let steps = 0;
      for (let place = right; place < left; place++) steps += 1;
      return steps;
    },
  },
} satisfies Record<string, ArithmeticKind>;

export type ArithmeticKindName = keyof typeof arithmeticKinds;

/** The kinds in the order of their numbers. */
export const arithmeticKindNames = Object.keys(arithmeticKinds) as [
  ArithmeticKindName,
  ...ArithmeticKindName[],
];

export function arithmeticKind(name: ArithmeticKindName): ArithmeticKind {
  return arithmeticKinds[name];
}
