import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashOf } from "../../../foundation/base/index.ts";
import { spentAt } from "../../../foundation/statistics/index.ts";
import { answerQuestion, run } from "../../run.ts";
import { checkCertificate, findCertificate } from "../check-certificate.ts";
import { eventsOf, freshRun, pathOf, promote, read, statusOf } from "../testing/promoted.ts";

let fresh: string;
let elsewhere: string;
beforeAll(async () => {
  fresh = await promote(freshRun(2));
  elsewhere = mkdtempSync(join(tmpdir(), "elsewhere-"));
});
afterAll(() => {
  for (const folder of [fresh, elsewhere]) rmSync(folder, { recursive: true });
});

describe("each promotion", () => {
  test("leaves a certificate, made with the decision and completed with its audits", async () => {
    expect(readdirSync(join(fresh, ".whetstone/certificates"))).toEqual([
      "1-letters-round-1.json",
      "1-letters-round-2.json",
    ]);
    const made = eventsOf(fresh).flatMap((event) =>
      event.type === "certificate-made" ? [{ round: event.round, audits: event.audits }] : [],
    );
    expect(made).toEqual([
      { round: 1, audits: [] },
      { round: 1, audits: ["previous-champion"] },
      { round: 2, audits: [] },
      { round: 2, audits: ["previous-champion"] },
      { round: 2, audits: ["previous-champion", "base"] },
    ]);
    const types = eventsOf(fresh).map(({ type }) => type);
    expect(types.indexOf("certificate-made")).toBeGreaterThan(types.indexOf("candidate-promoted"));
    expect(types.indexOf("certificate-made")).toBeLessThan(types.indexOf("audit-measured"));
  });

  test("is found by its round, and the same as its artifact", async () => {
    const found = await findCertificate(fresh, { round: 1 });
    expect(found).toMatchObject({
      run: "1-letters",
      round: 1,
      path: pathOf(fresh, "1-letters-round-1.json"),
    });
    expect(found.certificate).toEqual(read(fresh, "1-letters-round-1.json"));
    expect((await findCertificate(fresh)).round).toBe(2);
    await expect(findCertificate(fresh, { round: 3 })).rejects.toMatchObject({
      code: "no-certificate",
      message: expect.stringMatching(
        / has no round 3: it has played (?:one round|2 rounds)\. `whetstone status`/,
      ),
    });
    await expect(findCertificate(elsewhere)).rejects.toMatchObject({ code: "no-run" });
  });

  test("holds what was decided: the champion before it, the data and the chain", () => {
    const [first, second] = [1, 2].map((round) => read(fresh, `1-letters-round-${round}.json`).decided);
    expect(first?.previous).toBeNull();
    expect(second?.previous).toEqual({
      run: "1-letters",
      round: 1,
      hash: read(fresh, "1-letters-round-1.json").hash,
    });
    expect(second?.weights.champion).toEqual(first?.weights.candidate);
    expect(second?.history).toEqual([
      { opening: 1, run: "1-letters", round: 1, promoted: true, spent: spentAt(1, 0.05), heldBack: null },
    ]);
    expect(second?.data.rollouts.length).toBeGreaterThan(first?.data.rollouts.length ?? 9);
    const seedHash = eventsOf(fresh).flatMap((event) =>
      event.type === "round-started" && event.round === 2 ? [event.seedHash] : [],
    );
    expect([second?.seed.hash]).toEqual(seedHash);
    expect(hashOf(second?.configuration.description ?? null)).toBe(second?.configuration.hash);
  });

  test("has the same certificate when a run is done again in another folder", async () => {
    const again = await promote(freshRun(2));
    try {
      for (const round of [1, 2])
        expect(read(again, `1-letters-round-${round}.json`)).toEqual(
          read(fresh, `1-letters-round-${round}.json`),
        );
    } finally {
      rmSync(again, { recursive: true });
    }
  });

  test("keeps it when the run goes on: rounds that were played are only read again", async () => {
    const folder = await promote(freshRun(1));
    try {
      const first = read(folder, "1-letters-round-1.json");
      expect(first.audits.map(({ comparison }) => comparison)).toEqual(["previous-champion", "base"]);
      await run(freshRun(2), { folder });
      expect(read(folder, "1-letters-round-1.json")).toEqual(first);
      expect(read(folder, "1-letters-round-2.json").decided.previous?.hash).toBe(first.hash);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("a run that edits the configuration is chained to the one before it, and counts what that spent", async () => {
    const gate = { alpha: 0.5, probes: ["length 3", "length 5"], probeMargin: 0.05 };
    const folder = await promote(freshRun(1, { gate }));
    try {
      await run(freshRun(1), { folder });
      const second = read(folder, "2-letters-round-1.json");
      expect(second.decided.previous).toMatchObject({ run: "1-letters", round: 1 });
      expect(second.decided.history).toEqual([
        { opening: 1, run: "1-letters", round: 1, promoted: true, spent: spentAt(1, 0.5), heldBack: null },
      ]);
      const checked = await checkCertificate({ file: pathOf(folder, "2-letters-round-1.json") });
      expect(checked).toMatchObject({ verdict: "holds" });
      expect(statusOf(checked, "chain")).toBe("verified");
      // .304 by the first opening at α = .5, and what α = .05 has left for all others.
      expect(checked.claims.find(({ claim }) => claim === "level")?.words).toMatch(/stays below 32\.4 %/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("of one that a person approved says so, and rests on what the gate had measured", async () => {
    const folder = mkdtempSync(join(elsewhere, "asked-"));
    const answering: Promise<unknown>[] = [];
    await run(freshRun(1, { oversight: { ask: ["promotion"] } }), {
      folder,
      onQuestion: ({ id }) =>
        answering.push(answerQuestion({ folder, question: id, answer: "approve", why: "it is right" })),
    });
    await Promise.all(answering);
    const checked = await checkCertificate({ file: pathOf(folder, "1-letters-round-1.json") });
    expect(checked.verdict).toBe("holds");
    expect(statusOf(checked, "bets")).toBe("recomputed");
    expect(statusOf(checked, "approval")).toBe("trusted");
    expect(read(folder, "1-letters-round-1.json").decided.decision.reason).toMatch(
      /^better: .*; a person approved it: it is right$/,
    );
  });

  test("observing, nothing is promoted and no certificate is written", async () => {
    const folder = await promote(freshRun(1, { gate: { mode: "observe" } }));
    try {
      expect(existsSync(join(folder, ".whetstone/certificates"))).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
