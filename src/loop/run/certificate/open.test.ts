import { rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLedger } from "../../../foundation/ledger/index.ts";
import { run } from "../../run.ts";
import { checkCertificate, openCertificate } from "../check-certificate.ts";
import { eventsOf, freshRun, pathOf, promote, read, reusedRun, statusOf } from "../testing/promoted.ts";

let fresh: string;
let reused: string;
beforeAll(async () => {
  fresh = await promote(freshRun(2));
  reused = await promote(reusedRun(2));
});
afterAll(() => {
  for (const folder of [fresh, reused]) rmSync(folder, { recursive: true });
});

describe("results on items that are used again", () => {
  test("stand in no certificate, and in no event", () => {
    const { decided } = read(reused, "1-letters-round-1.json");
    expect(decided.results.rows).toBeNull();
    expect(decided.opening).toMatchObject({ reused: true, wealth: null, observed: null });
    expect(decided.probes).toMatchObject([{ reused: true, outcome: null, observed: null, wealth: null }]);
  });

  test("are opened on the record, can then be checked, and void what comes after", async () => {
    const folder = await promote(reusedRun(2));
    try {
      const opened = await openCertificate({ folder, round: 1, reason: "a reviewer asked" });
      expect(opened.path).toBe(pathOf(folder, "1-letters-round-1-opened.json"));
      const checked = await checkCertificate({ file: opened.path });
      expect(checked).toMatchObject({ verdict: "holds", hash: read(folder, "1-letters-round-1.json").hash });
      expect(statusOf(checked, "bets")).toBe("recomputed");
      expect(statusOf(checked, "probes")).toBe("recomputed");
      expect(eventsOf(folder).at(-1)).toEqual({
        type: "certificate-opened",
        round: 1,
        items: "last letter@1",
        opening: 1,
        reason: "a reviewer asked",
        by: "person",
      });
      await run(reusedRun(3), { folder });
      const later = await checkCertificate({ file: pathOf(folder, "1-letters-round-3.json") });
      expect(later.verdict).toBe("holds");
      expect(later.claims.find(({ claim }) => claim === "one-bit")?.words).toMatch(
        /^VOID: a person looked at results on these items before \(opening 1\)/,
      );
      expect(read(folder, "1-letters-round-3.json").decided.opened).toEqual([
        { opening: 1, run: "1-letters", round: 1, reason: "a reviewer asked" },
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("a forged opening of them does not fit its commitment", async () => {
    const folder = await promote(reusedRun(1));
    try {
      const { certificate, path } = await openCertificate({ folder, round: 1, reason: "to forge it" });
      const row = certificate.decided.results.rows?.find(({ differences }) => differences[0] === 0);
      if (row !== undefined) row.differences[0] = 1;
      writeFileSync(path, JSON.stringify(certificate));
      const checked = await checkCertificate({ file: path });
      expect(checked.verdict).toBe("contradicted");
      expect(
        checked.claims.flatMap(({ contradictions }) => contradictions.map(({ field }) => field)),
      ).toContain("decided.results.commitment");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("of fresh items need no opening; a reason is needed, and a free folder", async () => {
    const asked = { folder: fresh, round: 1, reason: "none" };
    await expect(openCertificate(asked)).rejects.toMatchObject({ code: "not-sealed" });
    await expect(openCertificate({ ...asked, reason: "  " })).rejects.toMatchObject({
      code: "invalid-option",
    });
    await expect(openCertificate({ ...asked, round: 9 })).rejects.toMatchObject({ code: "no-certificate" });
    using _ledger = openLedger({ folder: reused });
    await expect(openCertificate({ ...asked, folder: reused })).rejects.toMatchObject({
      code: "folder-in-use",
    });
  });
});
