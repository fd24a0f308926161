import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { tellRun } from "../src/surface/report/index.ts";
import { plausibleRun } from "../src/surface/report/testing/plausible-run.ts";
import { jsonLines, root, temporaryFolder, whetstone } from "./cli-program.ts";
import { outputSchemas } from "./json-schemas.ts";
import { promotingConfig } from "./promoting-config.ts";

const page = readFileSync(join(root, "docs/scripts.md"), "utf8");
type Command = keyof typeof outputSchemas;
const commands = Object.keys(outputSchemas) as Command[];
const documented = (command: Command): string =>
  readFileSync(join(root, `docs/schemas/${command}.json`), "utf8");
/** What nobody may rely on is not there: a member that the schema does not name is a fault of the schema. */
const strictly = (command: Command): z.ZodType => z.fromJSONSchema(JSON.parse(documented(command)));

describe.each(commands)("the schema of %s --json", (command) => {
  test("is in docs/schemas as the sources have it", () => {
    const schema = z.toJSONSchema(outputSchemas[command]);
    // `node scripts/write-schemas.ts` writes it.
    expect(JSON.parse(documented(command))).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  test("is found from the page for scripts", () => {
    expect(page).toContain(`](schemas/${command}.json)`);
  });
});

describe("what the commands print fits their schemas", () => {
  test("a run that was asked, approved and stopped at a cap", async () => {
    const options = 'oversight: { ask: ["promotion"] },';
    const folder = temporaryFolder(promotingConfig({ rounds: 2, options }));
    const run = whetstone(["run", "--budget", "steps=12"], { folder });
    await expect
      .poll(() => whetstone(["approve", "1-promotion-1"], { folder }).then(({ code }) => code), {
        timeout: 60_000,
      })
      .toBe(0);
    expect((await run).code).toBe(0);
    for (const command of ["status", "report"] as const) {
      const [told] = jsonLines((await whetstone([command, "--json"], { folder })).stdout);
      expect(strictly(command).parse(told)).toEqual(told);
      expect(told).toMatchObject({
        story: { state: "budget-spent", questions: [{ id: "1-promotion-1", answer: { answer: "approve" } }] },
      });
    }
    const file = ".whetstone/certificates/1-letters-round-1.json";
    const [checked] = jsonLines(
      (await whetstone(["certificate", "check", file, "--json"], { folder })).stdout,
    );
    expect(strictly("certificate-check").parse(checked)).toEqual(checked);
    expect(checked).toMatchObject({ verdict: "holds", run: "1-letters", round: 1 });
    writeFileSync(join(folder, "other.json"), "{}");
    const [refused] = jsonLines(
      (await whetstone(["certificate", "check", "other.json", "--json"], { folder })).stdout,
    );
    expect(strictly("certificate-check").parse(refused)).toEqual(refused);
    expect(refused).toMatchObject({ verdict: "contradicted", run: null });
  });

  test.each([{}, { observe: true }, { interruptedIn: 2 }, { rounds: 0 }])("a made-up run (%o)", (options) => {
    const events = plausibleRun(options);
    const schema = strictly("report");
    for (const length of [0, 5, 20, events.length]) {
      const told = JSON.parse(JSON.stringify({ report: "x", story: tellRun(events.slice(0, length)) }));
      expect(schema.parse(told)).toEqual(told);
    }
  });
});

test("a value that does not fit is refused", () => {
  const story = { ...tellRun(plausibleRun()), state: "sleeping" };
  expect(strictly("report").safeParse({ report: "x", story }).success).toBe(false);
  expect(
    strictly("report").safeParse({ report: "x", story: { ...story, state: "finished", more: 1 } }),
  ).toMatchObject({ success: false });
});
