import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { userError, WhetstoneError } from "../../foundation/base/index.ts";
import { answer } from "./answer.ts";
import type { CliContext } from "./context.ts";
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

function contextWith(environment: CliContext["environment"] = { LC_ALL: "C.UTF-8" }) {
  const [standard, error] = [stream(), stream()];
  const output = outputTo(standard as never, error as never, environment);
  const process = { stdout: { write: () => {} }, stderr: { write: () => {} } };
  const context: CliContext = { process, output, environment, parameters: new Map() };
  return { context, standard, error };
}

/** [what is thrown, the exit code] */
const faults: readonly (readonly [Error, number])[] = [
  [userError("wrong", "A sentence."), 3],
  [userError("interrupted", "A sentence."), 130],
  [new WhetstoneError({ code: "no-space", category: "environment", message: "A sentence." }), 2],
  [new WhetstoneError({ code: "worker-died", category: "engine", message: "A sentence." }), 4],
];

test.each(faults)("%o becomes a sentence or an object, and exit code %i", async (fault, code) => {
  for (const json of [false, true]) {
    const { context, standard, error } = contextWith();
    await answer(context, json, () => Promise.reject(fault));
    expect(context.process.exitCode).toBe(code);
    expect(error.written).toEqual(json ? [] : ["whetstone: A sentence.\n"]);
    expect(standard.written.map((line) => JSON.parse(line))).toEqual(
      json ? [{ error: expect.objectContaining({ message: "A sentence." }) }] : [],
    );
  }
});

test("a fault of ours says so in one line, with its stack only where WHETSTONE_DEBUG is set", async () => {
  const quiet = contextWith();
  await answer(quiet.context, undefined, () => Promise.reject(new TypeError("x is not a function")));
  expect(quiet.context.process.exitCode).toBe(1);
  expect(quiet.error.written).toEqual([
    "whetstone: x is not a function (a fault of Whetstone; please report it)\n",
  ]);
  const debugged = contextWith({ WHETSTONE_DEBUG: "1" });
  await answer(debugged.context, undefined, () => Promise.reject(new TypeError("x is not a function")));
  expect(debugged.error.written.join("")).toMatch(/TypeError: x is not a function\n {4}at /);
});
