export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * The exact 95 % interval of a share of which `successes` of `trials` were seen (Clopper and Pearson, Biometrika 26, 1934):
 * it covers the true share with a probability of at least .95 at every share and number of trials. With no trials it is
 * [0, 1].
 *
 * @example
 * exactInterval(9, 10) // { low: 0.555, high: 0.9975 }
 */
export function exactInterval(successes: number, trials: number): Interval {
  if (!(Number.isInteger(successes) && Number.isInteger(trials) && successes >= 0 && successes <= trials))
    throw new RangeError(`${successes} of ${trials} is no count`);
  const tail = 0.025;
  return {
    low: successes === 0 ? 0 : solve((share) => upperTail(successes, trials, share) - tail),
    high: successes === trials ? 1 : solve((share) => tail - (1 - upperTail(successes + 1, trials, share))),
  };
}

/** The root in [0, 1] of a function that rises, by bisection to the last bit. */
function solve(rising: (share: number) => number): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (rising(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(X ≥ least) for X binomial, summed from the term nearest to the mode outwards, in logarithms. */
function upperTail(least: number, trials: number, share: number): number {
  if (share <= 0) return least <= 0 ? 1 : 0;
  if (share >= 1) return 1;
  const odds = share / (1 - share);
  let log = logChoose(trials, least) + least * Math.log(share) + (trials - least) * Math.log1p(-share);
  let sum = 0;
  for (let count = least; count <= trials; count++) {
    sum += Math.exp(log);
    log += Math.log((odds * (trials - count)) / (count + 1));
  }
  return Math.min(1, sum);
}

function logChoose(trials: number, chosen: number): number {
  let log = 0;
  const fewer = Math.min(chosen, trials - chosen);
  for (let index = 1; index <= fewer; index++) log += Math.log((trials - fewer + index) / index);
  return log;
}
