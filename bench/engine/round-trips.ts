import type { Turn } from "./paired.ts";

/** The bar of doors and wires: at most three times the time of a bare round trip. */
export const roundTripBar = 1 / 3;

/** A side that goes there and back so many times, one after the other, and says how many a second. */
export const roundTrips =
  (count: number, once: () => Promise<unknown>): Turn =>
  async () => {
    const begun = performance.now();
    for (let trip = 0; trip < count; trip++) await once();
    return (count / (performance.now() - begun)) * 1000;
  };
