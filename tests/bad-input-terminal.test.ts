import { expect, test } from "vitest";
import { readLedger } from "../src/foundation/ledger/index.ts";
import { program, quickConfig, temporaryFolder, whetstone } from "./cli-program.ts";

test.concurrent.each([{ LC_ALL: "C" }, { LC_ALL: undefined, LC_CTYPE: undefined, LANG: "de_DE.ISO-8859-1" }])(
  "a terminal that is not UTF-8 (%j) gets ASCII only",
  async (environment) => {
    const folder = temporaryFolder(quickConfig());
    const { code, stdout, stderr } = await whetstone(["run"], { folder, environment });
    expect(code).toBe(0);
    expect(stdout).toMatch(/round 1/);
    expect(stdout + stderr).toMatch(/^[\n\x20-\x7e]*$/);
    const status = await whetstone(["status"], { folder, environment });
    expect(status.stdout).toMatch(/^[\n\x20-\x7e]*$/);
  },
);

test.concurrent("a UTF-8 terminal gets more than ASCII", async () => {
  const folder = temporaryFolder(quickConfig());
  const { stdout } = await whetstone(["run"], { folder, environment: { LC_ALL: "C.UTF-8" } });
  expect(stdout).toMatch(/[^\n\x20-\x7e]/);
});

/** The command with a reader that goes away after a line, as a shell does it; prints the command's own exit code last. */
const untilALine = (...commandLine: string[]) => [
  "bash",
  "-c",
  `"${process.execPath}" "${program}" ${commandLine.join(" ")} | head -n 1; echo "exit \${PIPESTATUS[0]}"; :`,
];

test.concurrent.each([[["run"]], [["run", "--json"]]])(
  "%j whose reader goes away ends its work all the same",
  async (commandLine) => {
    const folder = temporaryFolder(quickConfig());
    const { stdout, stderr } = await whetstone([], { folder, through: untilALine(...commandLine) });
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^[^\n]+\nexit 0\n$/);
    using ledger = readLedger({ folder });
    const types = ledger?.events(ledger.runs()[0]?.id ?? "").map(({ event }) => event.type);
    expect(types?.at(-1)).toBe("run-finished");
  },
);

test.concurrent("short answers to a reader that has gone leave no trace either", async () => {
  const folder = temporaryFolder(quickConfig());
  for (const command of ["plan", "--help"]) {
    const { stdout, stderr } = await whetstone([], { folder, through: untilALine(command) });
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^[^\n]+\nexit 0\n$/);
  }
});
