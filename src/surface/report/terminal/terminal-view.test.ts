import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Clock } from "../../../foundation/base/index.ts";
import type { Progress, StoredEvent } from "../../../foundation/contract/index.ts";
import { plausibleRun } from "../testing/plausible-run.ts";
import { ToyTerminal } from "../testing/toy-terminal.ts";
import type { TerminalStream } from "./abilities.ts";
import { displayWidth } from "./display-width.ts";
import { terminalView } from "./terminal-view.ts";

const environment = { TERM: "xterm-256color", LANG: "en_US.UTF-8" };
const run = plausibleRun({ rounds: 3, rejected: [2], warned: [3] });
const progress = (done: number, label = "train"): Progress => ({
  type: "progress",
  stage: "optimize",
  label,
  done,
  total: 1000,
});

function heldClock(): Clock & { forward(ms: number): void } {
  let now = 0;
  return {
    now: () => 0,
    monotonic: () => now,
    forward(ms) {
      now += ms;
    },
  };
}

/** A pipe: no terminal, no size. */
class Pipe extends EventEmitter {
  text = "";
  write(text: string): boolean {
    this.text += text;
    return true;
  }
}

const watchAll = (view: { watch(event: StoredEvent): void }, events: readonly StoredEvent[]): void => {
  for (const event of events) view.watch(event);
};

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

describe("in plain lines", () => {
  const plain = (environment: Record<string, string>, stream: Pipe | ToyTerminal = new Pipe()): string => {
    using view = terminalView({ stream, environment, clock: heldClock() });
    for (const event of run) {
      view.watch(progress(5));
      view.watch(event);
    }
    return stream instanceof Pipe ? stream.text : stream.written.join("");
  };

  test("a pipe gets a line for each stage, decision and round, and no escape codes", () => {
    const text = plain(environment);
    expect(text).not.toContain("\x1b");
    expect(text).not.toContain("\r");
    const lines = text.trimEnd().split("\n");
    expect(lines.filter((line) => line.startsWith("round 2"))).toEqual([
      "round 2 of 3, from the champion",
      expect.stringMatching(/^round 2 {2}acquire {3}2048 items of length 10/),
      expect.stringMatching(/^round 2 {2}select {4}2031 of 2048 items/),
      expect.stringMatching(/^round 2 {2}optimize {2}4062 rollouts/),
      expect.stringMatching(/^round 2 {2}evaluate {2}accuracy \d\d\.\d %/),
      expect.stringMatching(/^round 2 {2}guard {5}all is well/),
      expect.stringMatching(/^round 2 {2}rejected: a gain was not shown/),
      expect.stringMatching(/^round 2 {2}finished: frontier 10 → 10 · accuracy/),
    ]);
    expect(lines.at(-1)).toMatch(/^round 3 {2}audit {5}champion against base: \+\d/);
  });

  test("a dumb terminal too", () => {
    const terminal = new ToyTerminal();
    expect(plain({ ...environment, TERM: "dumb" }, terminal)).not.toContain("\x1b");
  });

  test("a locale without UTF-8 gets ASCII only, in place as well", () => {
    const ascii = { ...environment, LC_ALL: "C" };
    expect(plain(ascii)).toMatch(/^[\n -~]+$/);
    const terminal = new ToyTerminal();
    const clock = heldClock();
    using view = terminalView({ stream: terminal, environment: { ...ascii, NO_COLOR: "1" }, clock });
    for (const event of run.slice(0, -5)) {
      view.watch(progress(1, "schätze λ"));
      clock.forward(3000);
      view.watch(progress(300, "schätze λ"));
      clock.forward(3000);
      view.watch(event);
    }
    view.watch(progress(0, "schätze λ"));
    clock.forward(3000);
    view.watch(progress(300, "schätze λ"));
    expect(terminal.lines.join("\n")).toMatch(/^[\n -~]+$/);
    expect(terminal.lines.join("\n")).toContain("@@@@");
    expect(terminal.lines.at(-1)).toMatch(/schatze lambda {2}\[#+\.+\]/);
  });

  test("FORCE_COLOR colours the lines of a pipe and moves nothing", () => {
    const text = plain({ ...environment, FORCE_COLOR: "1" });
    expect(text).toContain("\x1b[32m");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for them.
    expect(text.replace(/\x1b\[\d+m/g, "")).not.toContain("\x1b");
  });

  test("NO_COLOR on a terminal leaves the cursor's codes alone", () => {
    const terminal = new ToyTerminal();
    using view = terminalView({
      stream: terminal,
      environment: { ...environment, NO_COLOR: "1" },
      clock: heldClock(),
    });
    watchAll(view, run);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for them.
    expect(terminal.written.join("")).not.toMatch(/\x1b\[[\d;]*m/);
  });

  test("set-up gets a line a step, not one a second", () => {
    const pipe = new Pipe();
    using view = terminalView({ stream: pipe, environment, clock: heldClock() });
    for (const [label, done] of [
      ["install PyTorch · 1 s", 1],
      ["install PyTorch · downloading torch · 2 s", 1],
      ["check it", 2],
    ] as const)
      view.watch({ type: "progress", stage: "set-up", label, done, total: 3 });
    expect(pipe.text).toBe("set-up  install PyTorch\nset-up  check it\n");
  });
});

describe("a stream that closes", () => {
  const streams: [string, () => TerminalStream & EventEmitter][] = [
    ["a terminal", () => new ToyTerminal()],
    ["a pipe", () => new Pipe()],
  ];

  test.each(streams)("%s with EPIPE ends the drawing, not the work", (_, open) => {
    const stream = open();
    let writes = 0;
    vi.spyOn(stream, "write").mockImplementation(() => {
      writes += 1;
      return true;
    });
    {
      const clock = heldClock();
      using view = terminalView({ stream, environment, clock });
      watchAll(view, run.slice(0, 5));
      stream.emit("error", Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      const before = writes;
      for (const event of run) {
        clock.forward(500);
        view.watch(event);
      }
      view.note("more");
      expect(writes).toBe(before);
    }
    // One more that comes after the end must not be the death of the process.
    expect(() => stream.emit("error", new Error("write EPIPE"))).not.toThrow();
  });

  test.each(streams)("%s that throws is let go", (_, open) => {
    const stream = open();
    vi.spyOn(stream, "write").mockImplementation(() => {
      throw new Error("gone");
    });
    expect(() => {
      using view = terminalView({ stream, environment, clock: heldClock() });
      watchAll(view, run);
    }).not.toThrow();
  });

  test("a reader that is slow gets fewer frames, and all the lasting lines", () => {
    const terminal = new ToyTerminal();
    const write = terminal.write.bind(terminal);
    vi.spyOn(terminal, "write").mockImplementation((text) => {
      write(text);
      return false;
    });
    const clock = heldClock();
    using view = terminalView({ stream: terminal, environment, clock });
    for (const event of run) {
      clock.forward(500);
      view.watch(event);
    }
    expect(terminal.written).toHaveLength(1);
    terminal.emit("drain");
    vi.advanceTimersByTime(200);
    expect(terminal.written).toHaveLength(2);
    expect(terminal.lines.filter((line) => /^round \d {2}/.test(line))).toHaveLength(3);
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
