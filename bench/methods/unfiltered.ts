import {
  absoluteZero,
  drZero,
  type Method,
  type MethodPage,
  type Pass,
  rZero,
  serl,
  simRag,
  spice,
} from "whetstone";
import { learnNothing } from "../../src/gro/update/index.ts";
import { type MethodRow, mechanism, type Played } from "./mechanism.ts";

interface Control {
  /** What the method does to its curriculum, and this does not. */
  readonly without: string;
  readonly make: () => Method;
}

/** Of each method that makes its own problems: the same, with whatever was proposed. What is no problem at all cannot be asked. */
export const unfiltered: Readonly<Record<string, Control>> = {
  "r-zero": {
    without: "the band of agreement",
    make: () => rZero({ band: [0, 1] }),
  },
  serl: {
    without: "the band of agreement",
    make: () => serl({ band: [0, 1] }),
  },
  simrag: {
    without: "the round trip",
    make: () => simRag({ agreement: 0, nearest: 100_000 }),
  },
  "absolute-zero": {
    without: "the proposer's learning",
    make: () => untaughtProposer(absoluteZero()),
  },
  spice: {
    without: "the proposer's learning",
    make: () => untaughtProposer(spice()),
  },
  "dr-zero": {
    without: "the proposer's learning",
    make: () => untaughtProposer(drZero()),
  },
};

/**
 * Nobody learns to propose: these methods filter by what their proposer is paid for. Where the same pass makes the solver's items it still
 * does; where another pass does, it is all that is left.
 */
function untaughtProposer(method: Method): Method {
  const [first, ...others] = method.passes;
  if (first === undefined) throw new Error(`${method.name} has no passes`);
  const passes = others.some(({ roles }) => roles.length === 0) ? others : [silent(first), ...others];
  return { ...method, description: { ...method.description, proposerLearns: false }, passes };
}

/** The same pass, in which its role writes and does not learn. */
function silent(pass: Pass): Pass {
  return { ...pass, roles: [], writers: pass.roles, asks: pass.roles, update: learnNothing() };
}

/** The method without its filter, on the base, the items and the seed of its own row. */
export async function withoutFilter(page: MethodPage, played: Played): Promise<MethodRow> {
  const control = unfiltered[page.name];
  if (control === undefined) throw new Error(`${page.name} filters no curriculum`);
  const row = await mechanism({ ...page, make: control.make }, { ...played, variant: "unfiltered" });
  return { ...row, column: "unfiltered" };
}
