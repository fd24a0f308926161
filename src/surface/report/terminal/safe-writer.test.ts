import type { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ToyTerminal } from "../testing/toy-terminal.ts";
import { environment, heldClock, Pipe, run, watchAll } from "../testing/view-parts.ts";
import type { TerminalStream } from "./abilities.ts";
import { terminalView } from "./terminal-view.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

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
