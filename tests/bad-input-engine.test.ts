import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { hold, holding, isEvent, jsonLines, start, temporaryFolder } from "./cli-program.ts";

const config = `import { defineRun, demonstrations, local, procedural, reverse, supervised, tiny } from "whetstone";

export default defineRun({
  engine: local({ workers: 1 }),
  model: tiny({ layers: 1, width: 16, heads: 1 }),
  task: reverse({ lengths: [1, 2], growTo: 3, measureTo: 3 }),
  prepare: supervised({ on: demonstrations(), steps: 1 }),
  acquire: [demonstrations({ items: 64 }), procedural({ items: 64 })],
  evaluate: { perStratum: 8, auditPerStratum: 4, finalAuditPerStratum: 8 },
  gate: { mode: "observe" },
  budget: { rounds: 1 },
  ${holding}
});
`;

/** The engine's worker: the child of the command that runs Python. Linux alone tells children this way. */
function workerOf(processId: number | undefined): number {
  const children = readFileSync(`/proc/${processId}/task/${processId}/children`, "utf8").trim().split(" ");
  const worker = children.map(Number).find((child) => commandLineOf(child).includes("whetstone_engine"));
  if (worker === undefined) throw new Error("the command has no worker");
  return worker;
}

function commandLineOf(processId: number): string {
  return readFileSync(`/proc/${processId}/cmdline`, "utf8");
}

const eventOf = (line: Record<string, unknown>) => line.event as { readonly type: string } | undefined;

test("an engine that is killed, and one that hangs, cost nothing that was finished", async () => {
  const folder = temporaryFolder(config);
  const selecting = isEvent("stage-started", { stage: "select" });
  const optimizing = isEvent("stage-started", { stage: "optimize" });

  // Killed in the middle of a step: it is stopped before the step begins, so that the step cannot end before.
  const letGo = hold(folder);
  const killed = start(["run", "--json"], { folder });
  await killed.line(selecting);
  const worker = workerOf(killed.child.pid);
  process.kill(worker, "SIGSTOP");
  letGo();
  await killed.line(optimizing);
  process.kill(worker, "SIGKILL");
  const end = await killed.ended;
  expect(end.code).toBe(4);
  expect(end.stderr).toBe("");
  expect(jsonLines(end.stdout).at(-1)).toMatchObject({
    error: {
      code: "worker-died",
      category: "engine",
      message: expect.stringMatching(
        /^A worker of the engine died \(signal SIGKILL\)\.[\s\S]*the same command goes on/,
      ),
      details: { signal: "SIGKILL" },
    },
  });

  // Hung: nobody who is asked to end waits for it, and nothing of it is left.
  const letGoAgain = hold(folder);
  const hung = start(["run", "--json"], { folder });
  await hung.line(isEvent("engine-started"));
  const stopped = workerOf(hung.child.pid);
  process.kill(stopped, "SIGSTOP");
  letGoAgain();
  hung.child.kill("SIGINT");
  await hung.note((line) => line.includes("Ending at the next safe point"));
  expect((await hung.ended).code).toBe(130);
  expect(() => process.kill(stopped, 0)).toThrow("ESRCH");

  const done = await start(["run", "--json"], { folder }).ended;
  expect({ code: done.code, stderr: done.stderr }).toEqual({ code: 0, stderr: "" });
  const lines = jsonLines(done.stdout);
  expect(lines.at(-1)).toMatchObject({ type: "result", outcome: "rounds-spent", alreadyFinished: false });
  // Preparation was finished by the first attempt; none of the later ones does it again.
  const types = lines.map((line) => eventOf(line)?.type);
  expect(types).toContain("run-resumed");
  expect(types).not.toContain("model-prepared");
  expect(types.filter((type) => type === "round-finished")).toHaveLength(1);
});
