import { describe, expect, test } from "vitest";
import { SequenceCounter } from "./sequence-counter.ts";

describe("SequenceCounter", () => {
  test("numbers calls from 1, and repeats a number that was given out", () => {
    const counter = new SequenceCounter();
    expect(counter.take()).toMatchObject({ sequence: 1, fresh: true });
    expect(counter.take()).toMatchObject({ sequence: 2, fresh: true });
    expect(counter.take(1)).toMatchObject({ sequence: 1, fresh: false });
    expect(counter.take()).toMatchObject({ sequence: 3 });
  });

  test("goes back to the first call that failed, once", () => {
    const counter = new SequenceCounter();
    counter.take();
    const second = counter.take();
    const third = counter.take();
    second.failed();
    third.failed();
    expect(counter.take()).toMatchObject({ sequence: 2 });
  });

  test("a number too high that was refused leaves no gap behind", () => {
    const counter = new SequenceCounter();
    counter.take();
    counter.take(99).failed();
    expect(counter.take()).toMatchObject({ sequence: 2, fresh: true });
  });
});
