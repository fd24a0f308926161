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

test("two runs in one folder at once: the second says who holds it, and the first goes on undisturbed", async () => {
  const folder = temporaryFolder(quickConfig({ options: holding }));
  const letGo = hold(folder);
  const first = start(["run", "--json"], { folder });
  await first.line(isEvent("stage-started", { stage: "select" }));

  const second = await whetstone(["run"], { folder });
  expect(second.stderr).toMatch(
    new RegExp(`^whetstone: Process ${first.child.pid}, since [^\\n]*, runs in this folder; [^\\n]*\\n$`),
  );
  expect({ code: second.code, stdout: second.stdout }).toEqual({ code: 3, stdout: "" });

  const asJson = await whetstone(["run", "--json"], { folder });
  expect(jsonLines(asJson.stdout)).toEqual([
    {
      error: expect.objectContaining({
        code: "folder-in-use",
        details: expect.objectContaining({ processId: first.child.pid }),
      }),
    },
  ]);

  // Looking disturbs nothing, and says who it is too.
  const status = await whetstone(["status"], { folder });
  expect(status.stdout).toMatch(new RegExp(`^Running now: process ${first.child.pid}, since `));

  letGo();
  const end = await first.ended;
  expect(end.code).toBe(0);
  expect(jsonLines(end.stdout).at(-1)).toMatchObject({ type: "result", outcome: "rounds-spent" });
  expect((await whetstone(["status"], { folder })).stdout).toMatch(/^Nobody runs here now\.\n/);
});

test("a folder whose holder was killed is free again at once", async () => {
  const folder = temporaryFolder(quickConfig({ options: holding }));
  const letGo = hold(folder);
  const first = start(["run", "--json"], { folder });
  await first.line(isEvent("stage-started", { stage: "select" }));
  first.child.kill("SIGKILL");
  await first.ended;
  letGo();
  const second = await whetstone(["run", "--json"], { folder });
  expect(second.code).toBe(0);
  expect(second.stdout.split("\n").some((line) => line !== "" && isEvent("run-resumed")(line))).toBe(true);
});
