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

test("what passes is one line on a terminal, which the next words replace, and nothing elsewhere", () => {
  const terminal = stream({ isTTY: true, columns: 10 });
  const output = outputTo(stream() as never, terminal as never, {});
  output.passing("installing torch");
  output.passing("two");
  output.note("done");
  expect(terminal.written.join("")).toBe("\r\u001b[Kinstallin\r\u001b[Ktwo\r\u001b[Kdone\n");
  const elsewhere = outputIn();
  elsewhere.output.passing("installing torch");
  expect(elsewhere.error.written).toEqual([]);
});
