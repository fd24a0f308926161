import { expect, test } from "vitest";
import { terminalCheck } from "./terminal.ts";

test("the terminal: what it can do, and how it could do more", () => {
  expect(terminalCheck({ isTTY: true }, { LANG: "C.UTF-8", TERM: "xterm-256color" })).toEqual({
    name: "terminal",
    state: "ok",
    found: "drawn in place, UTF-8, 256 colours",
  });
  expect(terminalCheck({}, { LC_ALL: "C" })).toMatchObject({
    state: "warn",
    found: "plain lines (no terminal, or TERM=dumb), ASCII only, no colours",
    advice: expect.stringContaining("UTF-8"),
  });
});
