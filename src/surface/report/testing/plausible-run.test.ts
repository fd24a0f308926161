import { expect, test } from "vitest";
import { runEventSchema } from "../../../foundation/contract/index.ts";
import { plausibleRun } from "./plausible-run.ts";

test.each([{}, { observe: true }, { interruptedIn: 4, warned: [5] }, { rounds: 0 }])(
  "every event of %o is one that a ledger would take",
  (options) => {
    const events = plausibleRun(options);
    for (const { event } of events) expect(runEventSchema.safeParse(event).error?.message).toBeUndefined();
    expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
  },
);

test("the same options give the same events", () => {
  expect(plausibleRun({ seed: 3 })).toEqual(plausibleRun({ seed: 3 }));
  expect(plausibleRun({ seed: 3 })).not.toEqual(plausibleRun({ seed: 4 }));
});
