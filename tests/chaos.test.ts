import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Chaos, type ChaosEngine, uniformOf } from "../bench/chaos/kill-runs.ts";
import { readLedger } from "../src/index.ts";

const root = mkdtempSync(join(tmpdir(), "chaos-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const chaosOf = (engine: ChaosEngine, name: string, rounds: number): Chaos =>
  new Chaos({ engine, root: join(root, name), rounds, uniform: uniformOf(1, engine) });

/** The end of a run that nobody touched, however often it was killed. */
const equal = { ledgerEqual: true, weightsEqual: true, different: [] };
/** Of a run's work, on average a kill. */
const mostRedone = 0.1;

describe("runs that are killed with SIGKILL come to the ledger and the weights of one that nobody touched", () => {
  test("on a table, at the end of every durable step, on one side of it or the other, and between a step and its answer", {
    timeout: 300_000,
  }, async () => {
    // The bench lets them die on both sides of each.
    const chaos = chaosOf("tabular", "boundaries", 1);
    const { places, redoneShare, folders, ...end } = await chaos.atBoundaries("alternating");
    expect(end).toMatchObject({ ...equal, kills: places.length, by: { worker: 0 } });
    expect(redoneShare).toBeLessThan(mostRedone);
    const [done = [], stored = []] = ["done", "stored"].map((side) =>
      places.flatMap((place) => (place.endsWith(` ${side}`) ? [place.slice(0, -side.length - 1)] : [])),
    );
    const steps = folders.flatMap((folder) => {
      using ledger = readLedger({ folder });
      return (ledger?.canonicalForm("1-chaos").steps ?? []).map(({ name }) => name);
    });
    expect([...done, ...stored].toSorted()).toEqual(steps.toSorted());
    expect(Math.abs(done.length - stored.length)).toBeLessThanOrEqual(1);
    expect(steps).toEqual(expect.arrayContaining(["round-0/prepare/solver/50", "round-1/decide/blocks-0"]));
    expect(places).toContain("step applied");
  });

  test("on a table, within baselines, at both sides of their ends and in the middle of their training", {
    timeout: 300_000,
  }, async () => {
    const uniform = uniformOf(1, "baselines");
    const chaos = new Chaos({
      engine: "tabular",
      root: join(root, "baselines"),
      rounds: 1,
      uniform,
      baselines: true,
    });
    const { places, redoneShare, folders, ...end } = await chaos.atBoundaries();
    expect(end).toMatchObject({ ...equal, kills: places.length, by: { worker: 0 } });
    expect(redoneShare).toBeLessThan(mostRedone);
    expect(places).toEqual(
      expect.arrayContaining(
        ["best-of-n", "supervised", "permuted-rewards"].flatMap((name) =>
          ["done", "stored"].map((side) => `round-1/baseline-short-${name} ${side}`),
        ),
      ),
    );
    expect(places.filter((place) => place.includes("/update/solver/"))).toHaveLength(4);
    const measured = folders.flatMap((folder) => {
      using ledger = readLedger({ folder });
      return (ledger?.events("1-chaos") ?? []).map(({ event }) => event.type);
    });
    expect(measured.filter((type) => type === "baseline-measured")).toHaveLength(3);
  });

  test("on a table, 12 times at random", { timeout: 300_000 }, async () => {
    const { redoneShare, folders: _, ...end } = await chaosOf("tabular", "random", 2).atRandom(12);
    expect(end).toEqual({ ...equal, kills: 12, by: { cli: 12, worker: 0 } });
    expect(redoneShare).toBeGreaterThan(0);
    expect(redoneShare).toBeLessThan(mostRedone);
  });

  test("on PyTorch, the command and its workers, one of them between a step and its answer", {
    timeout: 300_000,
  }, async () => {
    const chaos = chaosOf("local", "local", 1);
    const { redoneShare, folders, ...end } = await chaos.atRandom(3);
    expect(end).toEqual({ ...equal, kills: 3, by: { cli: 1, worker: 2 } });
    expect(redoneShare).toBeLessThan(mostRedone);
    const told = folders.flatMap((folder) => {
      using ledger = readLedger({ folder });
      return (ledger?.events("1-chaos") ?? []).map(({ event }) => event);
    });
    expect(told.filter(({ type }) => type === "engine-recovered").length).toBeGreaterThan(0);
  });
});

test.each([
  [["--kills", "0"], "--kills takes a whole number from 1 up"],
  [["--kills", "abc"], "--kills takes a whole number from 1 up"],
  [["--engine", "torch"], "--engine takes tabular or local"],
])("the bench kills nothing and fails when it is asked %j", (asked, said) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, "..", "bench", "chaos.ts"), ...asked],
    { encoding: "utf8" },
  );
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toContain(said);
});
