import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { defineRun, reverse } from "../src/index.ts";

const root = join(import.meta.dirname, "..");
const page = readFileSync(join(root, "docs/config.md"), "utf8");

/** The options that a table of the page names, by the heading above it. */
function optionsUnder(heading: string): string[] {
  const [, section = ""] = page.split(`# ${heading}\n`);
  const [own = ""] = section.split(/^## /m);
  return [...own.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = ""]) => name);
}

/** What the configuration says that it takes there, when it is given what it does not take. */
function takenAt(place: "evaluate" | "gate" | "budget" | undefined): string[] {
  const unknown = { notAnOptionAtAll: 1 };
  const config = place === undefined ? unknown : { [place]: unknown };
  try {
    defineRun({ task: reverse(), ...config } as never);
  } catch (error) {
    const [, names = ""] = /it takes (.*)\.$/.exec((error as Error).message) ?? [];
    return names.split(", ").map((name) => name.replaceAll('"', ""));
  }
  return [];
}

describe("docs/config.md", () => {
  test.each([
    ["The options of a run", undefined],
    ["evaluate", "evaluate"],
    ["gate", "gate"],
    ["budget", "budget"],
  ] as const)("names every option under %s, and no other", (heading, place) => {
    expect(optionsUnder(heading).length).toBeGreaterThan(3);
    expect(optionsUnder(heading).sort()).toEqual(takenAt(place).sort());
  });

  test("gives the defaults that there are", () => {
    const { evaluate, gate, budget, afterReject, precision, seed } = defineRun({ task: reverse() });
    const defaultOf = (name: string): string =>
      new RegExp(`^\\| \`${name}\` \\|.*\\| (.*) \\|$`, "m").exec(page)?.[1] ?? "";
    for (const [name, value] of Object.entries({ ...evaluate, ...gate, afterReject, precision, seed })) {
      const shown =
        typeof value === "number"
          ? value.toLocaleString("en-US", { maximumFractionDigits: 3 })
          : `"${value}"`;
      expect({ name, said: defaultOf(name).replaceAll("`", "") }).toEqual({
        name,
        said: expect.stringMatching(new RegExp(`^${shown}( \\(|$)`)),
      });
    }
    expect(defaultOf("budget")).toContain(`rounds: ${budget.rounds}`);
  });

  test("is found from the README", () => {
    expect(readFileSync(join(root, "README.md"), "utf8")).toContain("(docs/config.md)");
  });
});
