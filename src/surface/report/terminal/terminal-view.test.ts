import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { plausibleRun } from "../testing/plausible-run.ts";
import { ToyTerminal } from "../testing/toy-terminal.ts";
import { environment, heldClock, progress, run, watchAll } from "../testing/view-parts.ts";
import { displayWidth } from "./display-width.ts";
import { terminalView } from "./terminal-view.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("on a terminal", () => {
  test("the picture is drawn in place, and the rounds last above it", () => {
    const terminal = new ToyTerminal(100, 40);
    {
      const clock = heldClock();
      using view = terminalView({ stream: terminal, environment, clock });
      for (const event of run) {
        clock.forward(200);
        view.watch(event);
      }
    }
    const { lines } = terminal;
    expect(lines[0]).toBe("reverse · run 1-reverse · 3 rounds of rejection-sampling · seed 0");
    expect(lines.filter((line) => /^round \d/.test(line)).map((line) => line.slice(0, 19))).toEqual([
      "round 1  ▲ promoted",
      "round 2  ▽ rejected",
      "round 3  ▲ promoted",
    ]);
    expect(lines.filter((line) => line.startsWith("accuracy by length"))).toHaveLength(1);
    expect(lines.slice(-6).map((line) => line.slice(0, 8))).toEqual([
      "base 100",
      "  1▲ 100",
      "  2▽ 100",
      "  3▲ 100",
      "",
      "frontier",
    ]);
    expect(lines.some((line) => line.includes("! label accuracy: warn"))).toBe(true);
    expect(lines.at(-1)).toBe("frontier: length 12 (base: 9) · champion: round 3 · 2 promoted, 1 rejected");
  });

  test.each([
    [40, 24],
    [40, 6],
    [61, 12],
    [80, 24],
    [200, 60],
    [12, 3],
    [1, 1],
  ])("no line is wider than %i columns, no frame higher than %i rows", (columns, rows) => {
    const terminal = new ToyTerminal(columns, rows);
    const clock = heldClock();
    using view = terminalView({ stream: terminal, environment, clock });
    for (const event of run) {
      view.watch(progress(1));
      clock.forward(700);
      view.watch(progress(300, "a label with 長い words and a lot to say about what it is doing"));
      clock.forward(700);
      view.watch(event);
    }
    expect(terminal.wrapped).toBe(false);
    expect(terminal.mostLinesBack).toBeLessThan(rows);
    expect(terminal.written.length).toBeGreaterThan(10);
  });

  test("a terminal made narrower keeps one picture", () => {
    const terminal = new ToyTerminal(120, 40);
    {
      const clock = heldClock();
      using view = terminalView({ stream: terminal, environment, clock });
      for (const [index, event] of run.entries()) {
        clock.forward(200);
        view.watch(event);
        if (index === 20) terminal.resize(50);
        if (index === 40) terminal.resize(70);
      }
    }
    expect(terminal.lines.filter((line) => line.startsWith("accuracy by length"))).toHaveLength(1);
    expect(terminal.lines.filter((line) => line.startsWith("base"))).toHaveLength(2);
  });

  test("a thousand reports at once draw one frame; the last is drawn when its time comes", () => {
    const terminal = new ToyTerminal();
    const clock = heldClock();
    using view = terminalView({ stream: terminal, environment, clock });
    watchAll(view, run.slice(0, 3));
    clock.forward(3000);
    view.watch(progress(0));
    const before = terminal.written.length;
    clock.forward(3000);
    for (let done = 1; done <= 999; done++) view.watch(progress(done));
    expect(terminal.written.length).toBe(before + 1);
    expect(terminal.lines.join("\n")).not.toContain("99 %");
    clock.forward(100);
    vi.advanceTimersByTime(100);
    expect(terminal.written.length).toBe(before + 2);
    expect(terminal.lines.at(-1)).toMatch(/^prepare · train .* 99 % {2}0 s left$/);
  });

  test("the loss of the newest step stands beside the work", () => {
    const terminal = new ToyTerminal();
    const clock = heldClock();
    using view = terminalView({ stream: terminal, environment, clock });
    view.watch({ ...progress(0), loss: 2.3456 });
    clock.forward(3000);
    view.watch({ ...progress(500), loss: 0.41234 });
    expect(terminal.lines.at(-1)).toMatch(/^optimize · train · loss 0\.412 /);
  });

  test("whoever joins in the middle of a stage sees round and stage at once, and what of it is done", () => {
    const terminal = new ToyTerminal(100, 40);
    using view = terminalView({ stream: terminal, environment, clock: heldClock() });
    const places = run.flatMap(({ event }, index) =>
      event.type === "stage-started" && event.stage === "optimize" ? [index] : [],
    );
    view.recall(run.slice(0, (places[1] ?? 0) + 1));
    view.note("In round 2 of 3, at optimize.");
    expect(terminal.lines.at(-1)).toBe("optimize · rejection-sampling");
    view.watch({ ...progress(0, "solver: 500 steps"), total: 0 });
    vi.advanceTimersByTime(200);
    view.note("drawn");
    expect(terminal.lines.slice(-2)).toEqual([
      expect.stringMatching(/^round 2 of 3 .*left in all$/),
      "optimize · solver: 500 steps",
    ]);
    expect(terminal.lines).toContain("In round 2 of 3, at optimize.");
  });

  test("remaining time moves on while nothing is heard", () => {
    const terminal = new ToyTerminal();
    const clock = heldClock();
    using view = terminalView({ stream: terminal, environment, clock });
    view.watch(progress(0));
    clock.forward(10_000);
    view.watch(progress(500));
    expect(terminal.lines.at(-1)).toContain("10 s left");
    clock.forward(5000);
    vi.advanceTimersByTime(1000);
    expect(terminal.lines.at(-1)).toContain("15 s left");
  });

  test("the gate says how long it takes at most", () => {
    const terminal = new ToyTerminal();
    const clock = heldClock();
    using view = terminalView({ stream: terminal, environment, clock });
    view.watch({ ...progress(0), stage: "decide" });
    clock.forward(10_000);
    view.watch({ ...progress(500), stage: "decide" });
    expect(terminal.lines.at(-1)).toContain("at most 10 s left");
  });

  test("after the first round it says how long all rounds take", () => {
    const terminal = new ToyTerminal();
    const clock = heldClock();
    using view = terminalView({ stream: terminal, environment, clock });
    const second = run.findIndex(({ event }) => event.type === "round-started" && event.round === 2);
    for (const event of run.slice(0, second + 1)) {
      clock.forward(200);
      view.watch(event);
    }
    expect(terminal.lines.at(-1)).toMatch(/^round 2 of 3 .* 33 % {2}about \d+ s left in all$/);
  });

  test("the cursor is hidden while it draws and given back, also when an exception passes by", () => {
    const terminal = new ToyTerminal();
    expect(() => {
      using view = terminalView({ stream: terminal, environment, clock: heldClock() });
      watchAll(view, run.slice(0, 8));
      expect(terminal.cursorShown).toBe(false);
      throw new Error("passing by");
    }).toThrow("passing by");
    expect(terminal.cursorShown).toBe(true);
    expect(process.listeners("exit").filter((listener) => listener.name === "restore")).toEqual([]);
  });

  test("a process that ends at once gives the cursor back", () => {
    const terminal = new ToyTerminal();
    using view = terminalView({ stream: terminal, environment, clock: heldClock() });
    watchAll(view, run.slice(0, 8));
    const restore = process.listeners("exit").findLast((listener) => listener.name === "restore");
    restore?.(0);
    expect(terminal.cursorShown).toBe(true);
  });

  test("after it is disposed of nothing is drawn any more", () => {
    const terminal = new ToyTerminal();
    const view = terminalView({ stream: terminal, environment, clock: heldClock() });
    watchAll(view, run);
    view[Symbol.dispose]();
    const { length } = terminal.written;
    view[Symbol.dispose]();
    watchAll(view, run);
    terminal.emit("resize");
    vi.advanceTimersByTime(5000);
    expect(terminal.written).toHaveLength(length);
  });

  test("what was recalled is in the picture and is not said again", () => {
    const terminal = new ToyTerminal(100, 40);
    const clock = heldClock();
    const resumed = run.findIndex(({ event }) => event.type === "round-started" && event.round === 3);
    {
      using view = terminalView({ stream: terminal, environment, clock });
      view.recall(run.slice(0, resumed));
      view.watch({
        id: 10_000,
        run: "1-reverse",
        at: 0,
        event: { type: "run-resumed", run: "1-reverse", round: 2, rounds: 3, processId: 1 },
      });
    }
    expect(terminal.lines[0]).toBe("going on with run 1-reverse: 2 of 3 rounds done");
    expect(terminal.lines.filter((line) => /^( {2}[123][▲▽]|base) 100/.test(line))).toHaveLength(3);
  });

  test("a note lasts above the picture", () => {
    const terminal = new ToyTerminal();
    using view = terminalView({ stream: terminal, environment, clock: heldClock() });
    watchAll(view, run.slice(0, 12));
    view.note("\nEnding at the next safe point.");
    const note = terminal.lines.indexOf("Ending at the next safe point.");
    expect(note).toBeGreaterThan(0);
    expect(note).toBeLessThan(terminal.lines.findIndex((line) => line.startsWith("accuracy by")));
  });

  test("text from a task cannot move the cursor", () => {
    const terminal = new ToyTerminal();
    const events = plausibleRun({ rounds: 1, name: "evil\x1b[2J\x1b]0;title\x07\r\nname" });
    {
      using view = terminalView({ stream: terminal, environment, clock: heldClock() });
      watchAll(view, events);
    }
    expect(terminal.written.join("")).not.toContain("\x1b[2J");
    expect(terminal.written.join("")).not.toContain("\x1b]0");
    expect(terminal.lines[0]).toMatch(/^evil name · run/);
  });
});

test("frames count cells: wide characters do not push the bar over the edge", () => {
  const terminal = new ToyTerminal(60, 20);
  const clock = heldClock();
  using view = terminalView({ stream: terminal, environment, clock });
  view.watch(progress(0, "長い長い長い長い長い長い長い"));
  clock.forward(5000);
  view.watch(progress(100, "長い長い長い長い長い長い長い"));
  expect(displayWidth(terminal.lines.at(-1)!)).toBeLessThan(60);
  expect(terminal.lines.at(-1)).toContain("45 s left");
});

test("a bar becomes shorter before what it stands beside is cut", () => {
  const words = "setting up the engine: installing what it computes with";
  const lineAt = (columns: number): string => {
    const terminal = new ToyTerminal(columns, 20);
    const clock = heldClock();
    using view = terminalView({ stream: terminal, environment, clock });
    view.watch(progress(0, words));
    clock.forward(5000);
    view.watch(progress(100, words));
    return terminal.lines.at(-1)!;
  };
  expect(lineAt(120)).toContain(words);
  expect(lineAt(100)).toContain(words.slice(0, 45));
  expect(displayWidth(lineAt(100))).toBeLessThan(100);
  expect(lineAt(60)).not.toContain(words);
});
