import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "whetstone";
import example from "../../examples/reverse/whetstone.config.ts";
import { closingWords, tellRun } from "../../src/surface/report/index.ts";
import type { FaultyDemo } from "./faulty-demos.ts";

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
export async function playDemo({
  fault,
  rounds = 3,
  outcome,
  decisions,
  words,
}: FaultyDemo): Promise<PlayedDemo> {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-demo-fault-"));
  const began = performance.now();
  try {
    const definition = example.define({ fault });
    const played = await run({ ...definition, budget: { ...definition.budget, rounds } }, { folder });
    const decided = played.events.flatMap(({ event }) =>
      event.type === "decision-made" ? [event.decision.decision] : [],
    );
    const said = closingWords(tellRun(played.events), { report: "report.html" });
    const last = said.slice(1 + said.findIndex((line) => line.startsWith("report"))).join("\n");
    return {
      fault,
      decisions: decided,
      words: /^done {6}(.*)$/m.exec(last)?.[1] ?? last,
      seconds: (performance.now() - began) / 1000,
      wrong: [
        ...(played.outcome === outcome ? [] : [`it ended ${played.outcome}, not ${outcome}`]),
        ...(decisions.every((decision, index) => decided[index] === decision)
          ? []
          : [`it decided ${decided.join(", ")}, not ${decisions.join(", ")}`]),
        ...words.filter((word) => !word.test(last)).map((word) => `it does not say ${word.source}`),
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
