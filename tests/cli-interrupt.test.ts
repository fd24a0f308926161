import { expect, test } from "vitest";
import {
  hold,
  holding,
  isEvent,
  jsonLines,
  quickConfig,
  start,
  temporaryFolder,
  whetstone,
} from "./cli-program.ts";

test.concurrent.each(["SIGINT", "SIGTERM"] as const)(
  "%s ends the run at the next safe point, and the same command goes on",
  async (signal) => {
    const folder = temporaryFolder(quickConfig({ options: holding }));
    const letGo = hold(folder);
    const first = start(["run", "--json"], { folder });
    await first.line(isEvent("stage-started", { stage: "select" }));
    first.child.kill(signal);
    await first.note((line) => line.startsWith("Ending at the next safe point"));
    letGo();
    const end = await first.ended;
    expect({ code: end.code, signal: end.signal }).toEqual({ code: 130, signal: null });
    const lines = jsonLines(end.stdout);
    expect(lines.at(-1)).toMatchObject({ type: "result", outcome: "interrupted" });
    expect(lines.at(-2)).toMatchObject({ event: { type: "run-interrupted", round: 0 } });

    const status = await whetstone(["status"], { folder });
    expect(status.stdout).toMatch(/interrupted/);
    const second = await whetstone(["run", "--json"], { folder });
    expect({ code: second.code, stderr: second.stderr }).toEqual({ code: 0, stderr: "" });
    expect(jsonLines(second.stdout).at(-1)).toMatchObject({ type: "result", outcome: "rounds-spent" });
  },
);

test.concurrent("a run that goes on, and one that is finished, say so", async () => {
  const folder = temporaryFolder(quickConfig({ options: holding }));
  const letGo = hold(folder);
  const first = start(["run"], { folder });
  await first.line((line) => line.includes("acquire"));
  first.child.kill("SIGINT");
  await first.note((line) => line.startsWith("Ending at the next safe point"));
  letGo();
  expect((await first.ended).code).toBe(130);
  const second = await whetstone(["run"], { folder });
  expect(second.stdout).toMatch(/^going on with run 1-quick: 0 of 1 round done\n/);
  const third = await whetstone(["run"], { folder });
  expect(third.stdout).toMatch(
    /^This run is finished, and nothing was done again\. For more rounds raise budget\.rounds/,
  );
  expect([second.code, third.code]).toEqual([0, 0]);
});
