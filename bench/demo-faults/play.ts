import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "whetstone";
import example from "../../examples/reverse/whetstone.config.ts";
import type { FaultyDemo } from "./faulty-demos.ts";
import { judgeDemo } from "./judge-demo.ts";

export interface PlayedDemo {
  readonly fault: string;
  readonly decisions: readonly string[];
  /** How it ended, as the terminal says it. */
  readonly words: string;
  readonly seconds: number;
  /** What is not as it is to be, in words. */
  readonly wrong: readonly string[];
}

/** The demo with a fault, at its full size, and whether it ends with the right decision and the right words. */
export async function playDemo(demo: FaultyDemo): Promise<PlayedDemo> {
  const { fault, rounds = 3 } = demo;
  const folder = await mkdtemp(join(tmpdir(), "whetstone-demo-fault-"));
  const began = performance.now();
  try {
    const definition = example.define({ fault });
    const played = await run({ ...definition, budget: { ...definition.budget, rounds } }, { folder });
    const { decisions, last, wrong } = judgeDemo(demo, played);
    return {
      fault,
      decisions,
      words: /^done {6}(.*)$/m.exec(last)?.[1] ?? last,
      seconds: (performance.now() - began) / 1000,
      wrong,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
