import { userError } from "../../../foundation/base/index.ts";
import type { EnginePrices, StoredEvent } from "../../../foundation/contract/index.ts";

/** What a run cost is one sum: throws a user error `currency-changed` where its engine charged in another currency before. */
export function refuseOtherCurrency(events: readonly StoredEvent[], prices: EnginePrices | undefined): void {
  const before = events.flatMap(({ event }) =>
    event.type === "engine-started" && event.currency !== undefined ? [event.currency] : [],
  );
  const [last] = before.slice(-1);
  if (prices === undefined || last === undefined || last === prices.currency) return;
  throw userError(
    "currency-changed",
    `This run has cost ${last} so far, and its engine's prices are now in ${prices.currency}: give them in ${last}.`,
  );
}
