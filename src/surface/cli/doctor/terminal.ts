import { abilitiesOf } from "../../report/terminal/abilities.ts";
import type { Environment } from "../context.ts";
import { type Check, ok, warn } from "./check.ts";

const colours = { 0: "no colours", 4: "16 colours", 8: "256 colours", 24: "all colours" } as const;

export function terminalCheck(stream: { readonly isTTY?: boolean }, environment: Environment): Check {
  const abilities = abilitiesOf(stream, environment);
  const found = [
    abilities.live ? "drawn in place" : "plain lines (no terminal, or TERM=dumb)",
    abilities.unicode ? "UTF-8" : "ASCII only",
    colours[abilities.colours],
  ].join(", ");
  return abilities.unicode
    ? ok("terminal", found)
    : warn("terminal", found, "Set LANG to a UTF-8 locale, such as C.UTF-8, for finer pictures.");
}
