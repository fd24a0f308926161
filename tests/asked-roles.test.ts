import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readLedger } from "../src/foundation/ledger/index.ts";
import {
  auditRun,
  bestOfN,
  type Certificate,
  checkCertificate,
  compareWeights,
  defineRun,
  rejectionSampling,
  reverse,
  run,
  trace,
  vStar,
} from "../src/index.ts";
import { checkClaims } from "../src/loop/certificate/check.ts";
import { named, sealedAnew } from "../src/loop/run/testing/certificates.ts";
import { promotingRun } from "../src/loop/run/testing/last-letter.ts";
import { pathOf, read } from "../src/loop/run/testing/promoted.ts";

/** Candidates are ranked by a verifier that the method trains and delivers. */
const definition = promotingRun(2, {
  optimize: vStar({ samples: 4, steps: 6, learningRate: 0.1, verifierLearningRate: 0.1 }),
  refine: bestOfN({ samples: 2, by: "verifier" }),
});
const name = "1-letters-round-1.json";
let folder: string;
let certificate: Certificate;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-asked-roles-"));
  await run(definition, { folder });
  certificate = read(folder, name) as Certificate;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const events = () => {
  using ledger = readLedger({ folder });
  return (ledger?.events(ledger.runs()[0]?.id ?? "") ?? []).map(({ event }) => event);
};

describe("a role that the harness asks", () => {
  test("is a part of what is promoted, and stands in the certificate with its hashes", () => {
    const [asked] = certificate.decided.weights.asked ?? [];
    expect(asked).toMatchObject({
      role: "verifier",
      candidate: { checkpoint: expect.stringContaining("round-1-verifier"), files: expect.any(String) },
      champion: { checkpoint: expect.stringContaining("round-0") },
    });
    const trained = events().find((event) => event.type === "training-finished");
    expect(trained).toMatchObject({ asked: { verifier: asked?.candidate.checkpoint } });
  });

  test("is loaded again where the certificate is replayed", async () => {
    const check = await checkCertificate({ file: pathOf(folder, name), replay: { definition, folder } });
    const status = (wanted: string) => check.claims.find(({ claim }) => claim === wanted)?.status;
    expect([status("replay-weights"), status("replay-results")]).toEqual(["verified", "verified"]);
  });

  test("cannot be forged in the certificate without its being named", async () => {
    for (const who of ["candidate", "champion"] as const)
      for (const field of ["checkpoint", "files", "weights"] as const) {
        const forged = structuredClone(certificate);
        const [asked] = forged.decided.weights.asked ?? [];
        Object.assign(asked?.[who] ?? {}, { [field]: "0".repeat(64) });
        expect(named(await checkClaims(forged)).some((one) => one.startsWith("decided.weights"))).toBe(true);
      }
  });

  test("may be all that is new in a candidate", async () => {
    const same = sealedAnew(certificate, ({ weights }) => {
      Object.assign(weights.champion, weights.candidate);
    });
    expect(named(await checkClaims(same))).not.toContain("decided.weights");
    const nothingNew = sealedAnew(certificate, ({ weights }) => {
      Object.assign(weights.champion, weights.candidate);
      for (const one of weights.asked ?? []) Object.assign(one.champion, one.candidate);
    });
    expect(named(await checkClaims(nothingNew))).toContain("decided.weights");
  });

  test("answers in audits and comparisons of saved weights too", async () => {
    const [base, champion] = await auditRun(definition, { folder, perStratum: 64 });
    expect(champion?.measurement.mean).toBeGreaterThan(base?.measurement.mean ?? 1);
    const { gain } = await compareWeights(definition, { folder, perStratum: 64 });
    expect(gain.mean).toBeGreaterThan(0);
  });

  test("must be delivered by the method", () => {
    expect(() =>
      defineRun({ task: reverse(), optimize: rejectionSampling(), refine: bestOfN({ by: "verifier" }) }),
    ).toThrow(
      expect.objectContaining({
        code: "invalid-option",
        message: expect.stringMatching(
          /asks the role verifier, and rejection sampling delivers solver alone/,
        ),
      }),
    );
  });

  test("learns again from the first round's solutions, which are traced to the weights that wrote them", async () => {
    const traced = await trace({ folder, of: "candidate" });
    if (traced.kind !== "checkpoint") throw new Error("no checkpoint was traced");
    const trained = traced.weights.find(({ round, training }) => round === 2 && training !== null);
    const writers = (trained?.training?.sources ?? []).flatMap(({ writer }) => writer?.checkpoint ?? []);
    expect(writers.some((checkpoint) => checkpoint.includes("round-0"))).toBe(true);
    expect(writers.some((checkpoint) => checkpoint.includes("round-1"))).toBe(true);
  });

  test("keeps what it learnt from in the run: solutions of both rounds", () => {
    using ledger = readLedger({ folder });
    const [record] = ledger?.runs() ?? [];
    const steps = ledger?.canonicalForm(record?.id ?? "").steps ?? [];
    const buffers = steps.flatMap(({ name: step, result }) =>
      /round-\d\/optimize$/.test(step) ? [(result as { buffers: Record<string, string> }).buffers] : [],
    );
    expect(buffers).toHaveLength(2);
    expect(new Set(buffers.map(({ solutions }) => solutions)).size).toBe(2);
  });
});
