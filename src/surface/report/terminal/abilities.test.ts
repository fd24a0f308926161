import { describe, expect, test } from "vitest";
import { abilitiesOf, type Environment, speaksUnicode } from "./abilities.ts";

const terminal = { isTTY: true };
const pipe = { isTTY: false };

describe("colours", () => {
  test.each<[string, { isTTY: boolean }, Environment, number]>([
    ["a terminal that says nothing of itself", terminal, { TERM: "xterm" }, 4],
    ["one with 256", terminal, { TERM: "xterm-256color" }, 8],
    ["one with all", terminal, { TERM: "xterm-256color", COLORTERM: "truecolor" }, 24],
    ["NO_COLOR", terminal, { TERM: "xterm-256color", NO_COLOR: "1" }, 0],
    ["an empty NO_COLOR, which asks for nothing", terminal, { TERM: "xterm-256color", NO_COLOR: "" }, 8],
    ["a dumb terminal", terminal, { TERM: "dumb" }, 0],
    ["a pipe", pipe, { TERM: "xterm-256color", COLORTERM: "truecolor" }, 0],
    ["FORCE_COLOR on a pipe", pipe, { FORCE_COLOR: "1" }, 4],
    ["FORCE_COLOR before NO_COLOR", pipe, { FORCE_COLOR: "2", NO_COLOR: "1" }, 8],
    ["FORCE_COLOR=3", pipe, { FORCE_COLOR: "3" }, 24],
    ["FORCE_COLOR=0", terminal, { FORCE_COLOR: "0", TERM: "xterm-256color" }, 0],
    ["FORCE_COLOR on a terminal that has more", terminal, { FORCE_COLOR: "1", TERM: "xterm-256color" }, 8],
  ])("%s", (_, stream, environment, depth) => {
    expect(abilitiesOf(stream, environment).colours).toBe(depth);
  });
});

test("only a terminal that can move its cursor is drawn on in place", () => {
  expect(abilitiesOf(terminal, { TERM: "xterm" }).live).toBe(true);
  expect(abilitiesOf(terminal, { TERM: "dumb" }).live).toBe(false);
  expect(abilitiesOf(pipe, { TERM: "xterm", FORCE_COLOR: "3" }).live).toBe(false);
});

describe("the locale", () => {
  test.each<[Environment, boolean]>([
    [{ LANG: "en_US.UTF-8" }, true],
    [{ LANG: "de_CH.utf8" }, true],
    [{ LANG: "C" }, false],
    [{ LANG: "en_US.ISO-8859-1" }, false],
    [{ LC_ALL: "POSIX", LANG: "en_US.UTF-8" }, false],
    [{ LC_ALL: "", LC_CTYPE: "C.UTF-8", LANG: "C" }, true],
    [{ LC_CTYPE: "C", LANG: "en_US.UTF-8" }, false],
    [{}, true],
    [{ TERM: "linux" }, false],
  ])("%o: unicode %s", (environment, unicode) => {
    expect(speaksUnicode(environment)).toBe(unicode);
  });
});
