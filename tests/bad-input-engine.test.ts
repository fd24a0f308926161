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

const [selecting, optimizing] = (["select", "optimize"] as const).map((stage) =>
  isEvent("stage-started", { stage }),
) as [(line: string) => boolean, (line: string) => boolean];

/** A run whose worker is stopped before a step begins, so that the step cannot end before it is asked what becomes of it. */
async function stoppedInOptimize(folder: string) {
  const letGo = hold(folder);
  const started = start(["run", "--json"], { folder });
  await started.line(selecting);
  const worker = workerOf(started.child.pid);
  process.kill(worker, "SIGSTOP");
  letGo();
  await started.line(optimizing);
  return { ...started, worker };
}

test("a worker that is killed in the middle of a step is replaced within the run, which says so", async () => {
  const folder = temporaryFolder(config);
  const { worker, ended } = await stoppedInOptimize(folder);
  process.kill(worker, "SIGKILL");
  const end = await ended;
  expect({ code: end.code, stderr: end.stderr }).toEqual({ code: 0, stderr: "" });
  const lines = jsonLines(end.stdout);
  expect(lines.at(-1)).toMatchObject({ type: "result", outcome: "rounds-spent" });
  expect(lines.map(eventOf).filter((event) => event?.type === "engine-recovered")).toContainEqual({
    type: "engine-recovered",
    round: 1,
    reason: "worker-died",
    weights: "1-reverse/round-0-solver-1",
    replayed: 0,
    seconds: expect.any(Number),
  });
});

test("an engine that hangs costs nothing that was finished, and nothing of it is left", async () => {
  const folder = temporaryFolder(config);
  const hung = await stoppedInOptimize(folder);
  hung.child.kill("SIGINT");
  await hung.note((line) => line.includes("Ending at the next safe point"));
  expect((await hung.ended).code).toBe(130);
  expect(() => process.kill(hung.worker, 0)).toThrow("ESRCH");

  const done = await start(["run", "--json"], { folder }).ended;
  expect({ code: done.code, stderr: done.stderr }).toEqual({ code: 0, stderr: "" });
  const lines = jsonLines(done.stdout);
  expect(lines.at(-1)).toMatchObject({ type: "result", outcome: "rounds-spent", alreadyFinished: false });
  // Preparation was finished by the first attempt; the later one does not do it again.
  const types = lines.map((line) => eventOf(line)?.type);
  expect(types).toContain("run-resumed");
  expect(types).not.toContain("model-prepared");
  expect(types.filter((type) => type === "round-finished")).toHaveLength(1);
});
