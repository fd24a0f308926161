import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunConfig } from "../src/loop/run/config.ts";
import { seedSpread } from "../src/loop/run/seed-spread.ts";
import { promotingRun } from "../src/loop/run/testing/last-letter.ts";
import { run } from "../src/loop/run.ts";
import { seedSpreadWords } from "../src/surface/report/index.ts";

const root = mkdtempSync(join(tmpdir(), "seeds-"));
afterAll(() => rmSync(root, { recursive: true }));

/** So few pairs that a gain is shown under some seeds, and not under others. */
const gate = { cap: 70 };

async function played(seed: number, rounds: number, rest: Partial<RunConfig> = {}): Promise<string> {
  const folder = mkdtempSync(join(root, "run-"));
  await run(promotingRun(rounds, { seed, gate, ...rest }), { folder });
  return folder;
}

let folders: string[];
beforeAll(async () => {
  folders = [await played(1, 1), await played(3, 1), await played(2, 1)];
}, 120_000);

describe("seedSpread", () => {
  test("says what each run came to, and how far they are apart", () => {
    const spread = seedSpread({ folders });
    const { runs, gain, accuracy } = spread;
    expect(runs.map(({ seed, rounds, championRound }) => [seed, rounds, championRound])).toEqual([
      [1, 1, 1],
      [3, 1, 1],
      [2, 1, 0],
    ]);
    const gains = runs.map((one) => one.gain);
    // A run that promoted nothing has gained nothing.
    expect(gains[2]).toBe(0);
    expect(Math.min(gains[0] ?? 0, gains[1] ?? 0)).toBeGreaterThan(0);
    const mean = gains.reduce((sum, value) => sum + value, 0) / 3;
    const deviation = Math.sqrt(gains.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2);
    expect(gain).toMatchObject({ least: 0, most: Math.max(...gains) });
    expect(gain.mean).toBeCloseTo(mean, 12);
    expect(gain.deviation).toBeCloseTo(deviation, 12);
    // Student's t for two degrees of freedom.
    expect(gain.interval.high - gain.mean).toBeCloseTo((4.302653 * deviation) / Math.sqrt(3), 5);
    expect(accuracy.least).toBeLessThan(accuracy.most);
    const words = seedSpreadWords(spread).join("\n");
    expect(words).toMatch(
      /^letters under 3 seeds: \+\d+\.\d points on audit items \(95 % interval over seeds /,
    );
    expect(words).toMatch(/^ {3}2 {7}1 {6}base {2}/m);
    expect(words).toContain("that counts as 0.");
  });

  test("compares no runs that differ otherwise, or not at all, or that are not there", async () => {
    const [one = "", two = ""] = folders;
    const other = await played(4, 0, { afterReject: "champion" });
    expect(() => seedSpread({ folders: [one, other] })).toThrow(
      expect.objectContaining({
        code: "other-configuration",
        message: expect.stringContaining("in afterReject."),
      }),
    );
    expect(() => seedSpread({ folders: [one, folders[2] ?? "", other] })).toThrow("in afterReject.");
    const shorter = await played(5, 0);
    expect(() => seedSpread({ folders: [one, shorter] })).toThrow(
      expect.objectContaining({
        code: "other-budget",
        message: expect.stringMatching(
          /other budgets \(1 round; 0 rounds\), so more .* Raise the smaller one/,
        ),
      }),
    );
    expect(() => seedSpread({ folders: [one, two, one] })).toThrow(
      expect.objectContaining({ code: "same-seed" }),
    );
    const empty = mkdtempSync(join(root, "empty-"));
    expect(() => seedSpread({ folders: [one, empty] })).toThrow(expect.objectContaining({ code: "no-run" }));
    expect(() => seedSpread({ folders: [one] })).toThrow(expect.objectContaining({ code: "invalid-option" }));
    const controller = new AbortController();
    const unfinished = mkdtempSync(join(root, "unfinished-"));
    await run(promotingRun(1, { seed: 9, gate }), {
      folder: unfinished,
      signal: controller.signal,
      watch: (seen) => {
        if ("event" in seen && seen.event.type === "round-started") controller.abort(new Error("enough"));
      },
    });
    expect(() => seedSpread({ folders: [one, unfinished] })).toThrow(
      expect.objectContaining({ code: "run-unfinished" }),
    );
  }, 60_000);
});
