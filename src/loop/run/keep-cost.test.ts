import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keepCost } from "./keep-cost.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("the cost is kept every two seconds, whatever the disk says, until nothing goes on any more", () => {
  const keep = vi.fn().mockImplementationOnce(() => {
    throw new Error("the disk is full");
  });
  {
    using _keeping = keepCost({ keep });
    vi.advanceTimersByTime(1999);
    expect(keep).toHaveBeenCalledTimes(0);
    vi.advanceTimersByTime(4001);
    expect(keep).toHaveBeenCalledTimes(3);
  }
  vi.advanceTimersByTime(10_000);
  expect(keep).toHaveBeenCalledTimes(3);
});
