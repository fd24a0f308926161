import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { isWhetstoneError } from "../../foundation/base/index.ts";
import { interruptible } from "./interruption.ts";

function setUp() {
  const exits: number[] = [];
  const said: string[] = [];
  const program = Object.assign(new EventEmitter(), { exit: (code: number) => void exits.push(code) });
  let now = 1000;
  const clock = { now: () => 0, monotonic: () => now };
  const interruption = interruptible({ say: (text) => said.push(text), program, clock });
  const press = (signal: "SIGINT" | "SIGTERM", afterMs: number): void => {
    now += afterMs;
    program.emit(signal);
  };
  return { exits, said, program, interruption, press };
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "the first %s aborts with a named reason and says what happens",
  (signal) => {
    const { exits, said, interruption, press } = setUp();
    expect(interruption.signal.aborted).toBe(false);
    press(signal, 0);
    const { reason } = interruption.signal;
    expect(isWhetstoneError(reason) && reason.code).toBe("interrupted");
    expect(said).toEqual([expect.stringMatching(/^Ending at the next safe point/)]);
    expect(exits).toEqual([]);
  },
);

test("the second press ends the program at once", () => {
  const { exits, said, press } = setUp();
  press("SIGINT", 0);
  press("SIGINT", 300);
  expect(exits).toEqual([130]);
  expect(said).toHaveLength(1);
});

test("one press that arrives twice, from the terminal and through npm, is one press", () => {
  const { exits, interruption, press } = setUp();
  press("SIGINT", 0);
  press("SIGINT", 5);
  press("SIGTERM", 20);
  expect(interruption.signal.aborted).toBe(true);
  expect(exits).toEqual([]);
  press("SIGINT", 400);
  expect(exits).toEqual([130]);
});

test("when it is over, signals do what they always do", () => {
  const { program, interruption } = setUp();
  interruption[Symbol.dispose]();
  expect([program.listenerCount("SIGINT"), program.listenerCount("SIGTERM")]).toEqual([0, 0]);
});
