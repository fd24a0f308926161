import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  arithmetic,
  defineRun,
  demonstrations,
  procedural,
  rejectionSampling,
  run,
  samples,
  supervised,
  tabular,
  tiny,
} from "../src/index.ts";
import { closingWords, reportPage, tellRun } from "../src/surface/report/index.ts";

test("a run of kinds names them from its first event to its report, and finds no frontier anywhere", async () => {
  const definition = defineRun({
    name: "kinds",
    task: arithmetic({ kinds: ["product", "sum"], product: [2, 5], sum: [1, 60] }),
    model: tiny({ layers: 1, width: 8, heads: 1 }),
    engine: tabular({ horizon: 16, backOff: 2 }),
    prepare: supervised({ on: demonstrations(), steps: 8, batch: 8, learningRate: 0.5 }),
    acquire: [procedural({ difficulty: 2, items: 32 })],
    optimize: rejectionSampling({ generate: samples({ samples: 2 }), update: supervised({ steps: 2 }) }),
    evaluate: { perStratum: 16, auditPerStratum: 16, finalAuditPerStratum: 16 },
    gate: { cap: 60 },
    budget: { rounds: 1 },
  });
  const folder = await mkdtemp(join(tmpdir(), "whetstone-kinds-"));
  try {
    const { events } = await run(definition, { folder });
    const of = events.map(({ event }) => event);
    expect(of.find(({ type }) => type === "run-started")).toMatchObject({
      unit: "kind",
      kinds: ["product", "sum"],
    });
    const measured = of.filter((event) => event.type === "validation-measured");
    expect(measured).toHaveLength(2);
    for (const { measurement } of measured) {
      expect(measurement.strata.map(({ stratum }) => stratum)).toEqual(["product", "sum"]);
      expect(measurement.frontier90).toBeNull();
    }
    const summaries = of.flatMap((event) => (event.type === "stage-finished" ? [event.summary] : []));
    expect(summaries).toContainEqual(
      expect.stringMatching(/^accuracy [\d.]+ %, product [\d.]+ %, sum [\d.]+ %$/),
    );
    const shown = of.findLast((event) => event.type === "samples-shown");
    expect(new Set(shown?.samples.map(({ kind }) => kind))).toEqual(new Set(["product", "sum"]));
    const story = tellRun(events);
    const words = `${closingWords(story).join("\n")}\n${reportPage(story, { generatedAt: new Date(0) })}`;
    expect(words).toMatch(/^kinds +product [\d.]+ %/m);
    expect(words.replace(/<style>.*?<\/style>/s, "")).not.toMatch(/frontier/i);
    for (const event of of)
      if (event.type === "meters-read")
        expect(event.readings.map(({ meter }) => meter)).not.toContain("frontier");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
