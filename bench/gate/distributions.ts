/** P(Bin(trials, share) = count). */
export function massOf(count: number, trials: number, share: number, logFactorials: Float64Array): number {
  if (count < 0 || count > trials) return 0;
  if (share >= 1) return count === trials ? 1 : 0;
  const [all, some, others] = [trials, count, trials - count].map((n) => logFactorials[n] as number) as [
    number,
    number,
    number,
  ];
  return Math.exp(all - some - others + count * Math.log(share) + (trials - count) * Math.log1p(-share));
}

export function logFactorialsTo(most: number): Float64Array {
  const logs = new Float64Array(most + 1);
  for (let number = 1; number <= most; number++)
    logs[number] = (logs[number - 1] as number) + Math.log(number);
  return logs;
}

/** The z above which a standard normal lies with a chance of `tail`, by bisection. */
export function normalQuantile(tail: number): number {
  let [low, high] = [-40, 40];
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2;
    if (normalTail(middle) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(Z > z): by its series near 0, by its continued fraction far out (Abramowitz and Stegun 26.2.11 and 26.2.14). */
function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z > 3) {
    let fraction = z;
    for (let depth = 100; depth > 0; depth--) fraction = z + depth / fraction;
    return density / fraction;
  }
  let [term, sum] = [z, z];
  for (let odd = 3; odd < 120; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return 0.5 - density * sum;
}
