import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Certificate } from "../certificate/schema.ts";
import { sealed } from "../certificate/seals.ts";
import { checkCertificate } from "./check-certificate.ts";
import { eventsOf, freshRun, pathOf, promote, read, reusedRun, statusOf } from "./testing/promoted.ts";

let fresh: string;
let reused: string;
let elsewhere: string;
beforeAll(async () => {
  fresh = await promote(freshRun(2));
  reused = await promote(reusedRun(2));
  elsewhere = mkdtempSync(join(tmpdir(), "elsewhere-"));
});
afterAll(() => {
  for (const folder of [fresh, reused, elsewhere]) rmSync(folder, { recursive: true });
});

describe("checkCertificate", () => {
  test("needs the file alone, on any machine", async () => {
    const file = join(elsewhere, "given.json");
    copyFileSync(pathOf(fresh, "1-letters-round-2.json"), file);
    const checked = await checkCertificate({ file });
    expect(checked).toMatchObject({
      file,
      run: "1-letters",
      round: 2,
      verdict: "holds",
      counts: { contradicted: 0 },
    });
    expect(statusOf(checked, "chain")).toBe("trusted");
    const { verified, recomputed, trusted } = checked.counts;
    expect(verified + recomputed + trusted).toBe(checked.claims.length);
  });

  test("of what cannot be read says so", async () => {
    const file = join(elsewhere, "rubbish.txt");
    writeFileSync(file, "no JSON");
    await expect(checkCertificate({ file })).rejects.toMatchObject({ code: "certificate-unreadable" });
    await expect(checkCertificate({ file: elsewhere })).rejects.toThrow(/\(it is a folder\): name a file/);
    writeFileSync(file, "{}");
    expect(await checkCertificate({ file })).toMatchObject({
      verdict: "contradicted",
      run: null,
      hash: null,
    });
  });
});

describe("--replay", () => {
  const replayed = (
    file: string,
    folder: string,
    weights: readonly string[] = [],
    definition = freshRun(2),
  ) => checkCertificate({ file, replay: { definition, folder, weights } });

  test("measures again on freshly loaded weights, and everything comes out the same", async () => {
    for (const round of [1, 2]) {
      const checked = await replayed(pathOf(fresh, `1-letters-round-${round}.json`), fresh);
      expect(checked.verdict).toBe("holds");
      for (const name of ["replay-weights", "replay-order", "replay-results"])
        expect({ name, status: statusOf(checked, name) }).toEqual({ name, status: "verified" });
    }
  });

  test("finds weights in folders that were given, by their hashes, without the project or its ledger", async () => {
    const file = pathOf(fresh, "1-letters-round-2.json");
    const { champion, candidate } = read(fresh, "1-letters-round-2.json").decided.weights;
    const away = [champion, candidate].map(({ checkpoint }, index) => {
      const to = join(elsewhere, `weights-${index}`);
      mkdirSync(to, { recursive: true });
      const from = join(fresh, ".whetstone/checkpoints", checkpoint);
      for (const name of readdirSync(from)) copyFileSync(join(from, name), join(to, name));
      return to;
    });
    // A file that the weights do not need makes the folder another one, and its weights stay what they were.
    writeFileSync(join(away[0] ?? "", "README.md"), "exported");
    const checked = await replayed(file, elsewhere, away.toReversed());
    expect(checked.verdict).toBe("holds");
    expect(statusOf(checked, "replay-weights")).toBe("verified");
    expect(statusOf(checked, "replay-results")).toBe("verified");
    // What the gate has used its own probe passes over, and the opening before it met none of these items.
    expect(checked.claims.find(({ claim }) => claim === "replay-order")).toMatchObject({
      status: "verified",
      words: expect.stringMatching(/, and none is left out$/),
    });
    await expect(replayed(file, elsewhere, away.slice(0, 1))).rejects.toMatchObject({
      code: "weights-missing",
    });
  });

  const forgery = (change: (decided: Certificate["decided"]) => void): string => {
    const { decided, audits } = structuredClone(read(fresh, "1-letters-round-1.json"));
    change(decided);
    const file = join(elsewhere, "forged.json");
    writeFileSync(file, JSON.stringify(sealed(decided, audits)));
    return file;
  };

  test("finds out items that the seed does not draw, which a check alone takes on trust", async () => {
    const file = forgery(({ items }) => {
      items.blocks.reverse();
    });
    expect(statusOf(await checkCertificate({ file }), "item-order")).toBe("trusted");
    const checked = await replayed(file, fresh);
    expect(statusOf(checked, "replay-order")).toBe("contradicted");
    expect(checked.verdict).toBe("contradicted");
    const withoutLedger = await replayed(file, elsewhere, [
      ...readdirSync(join(fresh, ".whetstone/checkpoints/1-letters")).map((name) =>
        join(fresh, ".whetstone/checkpoints/1-letters", name),
      ),
    ]);
    expect(statusOf(withoutLedger, "replay-order")).toBe("contradicted");
  });

  test("finds out weights that did not answer so", async () => {
    const { weights } = read(fresh, "1-letters-round-2.json").decided;
    const file = forgery((decided) => {
      decided.weights.candidate = { ...weights.candidate, checkpoint: decided.weights.candidate.checkpoint };
    });
    const last = join(fresh, ".whetstone/checkpoints", weights.candidate.checkpoint);
    const checked = await replayed(file, fresh, [last]);
    expect(statusOf(checked, "replay-results")).toBe("contradicted");
    expect(checked.claims.find(({ claim }) => claim === "replay-results")?.contradictions[0]?.words).toMatch(
      /^measured again, \d+ of \d+ pairs came out differently/,
    );
  });

  test("of another task is refused", async () => {
    await expect(
      replayed(pathOf(fresh, "1-letters-round-1.json"), fresh, [], reusedRun(2)),
    ).rejects.toMatchObject({ code: "other-protocol" });
  });

  test("of sealed results says whether they are the same, and nothing else", async () => {
    const checked = await replayed(pathOf(reused, "1-letters-round-2.json"), reused, [], reusedRun(2));
    expect(checked.verdict).toBe("holds");
    expect(checked.claims.find(({ claim }) => claim === "replay-results")).toMatchObject({
      status: "verified",
      words: expect.stringMatching(/they stay sealed$/),
    });
    expect(eventsOf(reused).some(({ type }) => type === "certificate-opened")).toBe(false);
  });
});
