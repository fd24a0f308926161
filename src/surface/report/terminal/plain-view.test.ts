import { describe, expect, test } from "vitest";
import { ToyTerminal } from "../testing/toy-terminal.ts";
import { environment, heldClock, Pipe, progress, run, watchAll } from "../testing/view-parts.ts";
import { terminalView } from "./terminal-view.ts";

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

  test("after a minute of silence a line says how far the work is, and no sooner", () => {
    const pipe = new Pipe();
    const clock = heldClock();
    using view = terminalView({ stream: pipe, environment, clock });
    for (const event of run.slice(0, run.findIndex(({ event }) => event.type === "stage-started") + 1))
      view.watch(event);
    const before = pipe.text;
    for (let second = 0; second <= 130; second++) {
      view.watch({ ...progress(5 * second), loss: 0.25 });
      clock.forward(1000);
    }
    expect(pipe.text.slice(before.length).split("\n")).toEqual([
      expect.stringMatching(/^preparation {2}.*train · loss 0\.250 {2}30 % {2}2 min 20 s left$/),
      expect.stringMatching(/^preparation {2}.*train · loss 0\.250 {2}60 % {2}1 min 20 s left$/),
      "",
    ]);
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
