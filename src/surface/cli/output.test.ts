import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { outputTo } from "./output.ts";

function stream({ isTTY = false, columns = 0 } = {}) {
  const written: string[] = [];
  return Object.assign(new EventEmitter(), {
    written,
    isTTY,
    columns,
    write: (text: string) => written.push(text) > 0,
  });
}

function outputIn(environment: Readonly<Record<string, string>> = { LC_ALL: "C.UTF-8" }) {
  const [standard, error] = [stream(), stream()];
  return { output: outputTo(standard as never, error as never, environment), standard, error };
}

test("a reader that goes away ends the printing, and nothing is thrown", () => {
  const { output, standard } = outputIn();
  output.line("one");
  standard.emit("error", Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
  output.line("two");
  output.json({ three: 3 });
  expect(standard.written).toEqual(["one\n"]);
});

test("words are ASCII where the locale is not UTF-8; JSON never changes", () => {
  const { output, standard, error } = outputIn({ LC_ALL: "C" });
  output.line("a → b …");
  output.note("é");
  output.json({ text: "→" });
  expect(standard.written).toEqual(["a -> b ...\n", '{"text":"→"}\n']);
  expect(error.written).toEqual(["e\n"]);
});

test("what could move a terminal's cursor or hide words is written out; line ends and tabs stay", () => {
  const { output, standard, error } = outputIn();
  const nasty = "a\x1b[2J\x9b1m\r\u202eb\n\tc\0";
  const written = "a\\u001b[2J\\u009b1m\\u000d\\u202eb\n\tc\\u0000";
  output.line(nasty);
  output.note(nasty);
  output.json({ nasty });
  expect(standard.written[0]).toBe(`${written}\n`);
  expect(error.written).toEqual([`${written}\n`]);
  expect(standard.written[1]).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  expect(JSON.parse(standard.written[1] ?? "")).toEqual({ nasty });
});

test("data are bytes as they are for a pipe, and safe on a terminal", () => {
  const { output, standard } = outputIn({ LC_ALL: "C" });
  output.data("a,→\x1b[2J\n");
  const terminal = stream({ isTTY: true });
  outputTo(terminal as never, stream() as never, {}).data("a,→\x1b[2J\n");
  expect([standard.written, terminal.written]).toEqual([["a,→\x1b[2J\n"], ["a,→\\u001b[2J\n"]]);
});

test("what passes is one line on a terminal, which the next words replace, and nothing elsewhere", () => {
  const terminal = stream({ isTTY: true, columns: 10 });
  const output = outputTo(stream() as never, terminal as never, {});
  output.passing("installing torch");
  output.passing("two");
  output.note("done");
  expect(terminal.written.join("")).toBe("\r\u001b[Kinstallin\r\u001b[Ktwo\r\u001b[Kdone\n");
  const [shown, both] = [stream({ isTTY: true }), [] as string[]];
  shown.write = (text: string) => both.push(text) > 0;
  const together = outputTo(shown as never, shown as never, {});
  together.passing("one");
  together.line("a result");
  expect(both.join("")).toBe("\r\u001b[Kone\r\u001b[Ka result\n");
  const elsewhere = outputIn();
  elsewhere.output.passing("installing torch");
  expect(elsewhere.error.written).toEqual([]);
});
