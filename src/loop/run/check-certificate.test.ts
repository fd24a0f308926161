import { generateKeyPairSync } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashOf } from "../../foundation/base/index.ts";
import { openLedger, readLedger } from "../../foundation/ledger/index.ts";
import type { Certificate } from "../certificate/schema.ts";
import { sealed } from "../certificate/seals.ts";
import { answerQuestion, run } from "../run.ts";
import { checkCertificate, findCertificate, openCertificate, signCertificate } from "./check-certificate.ts";
import { freshRun, pathOf, promote, read, reusedRun } from "./testing/promoted.ts";

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

const eventsOf = (folder: string) => {
  using ledger = readLedger({ folder });
  return (ledger?.runs() ?? []).flatMap(({ id }) => ledger?.events(id) ?? []).map(({ event }) => event);
};
const statusOf = ({ claims }: Awaited<ReturnType<typeof checkCertificate>>, name: string) =>
  claims.find(({ claim }) => claim === name)?.status;

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
    await expect(findCertificate(fresh, { round: 3 })).rejects.toMatchObject({ code: "no-certificate" });
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
    expect(second?.history).toEqual([{ opening: 1, run: "1-letters", round: 1, promoted: true }]);
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

  test("a run that edits the configuration is chained to the one before it", async () => {
    const folder = await promote(freshRun(1));
    try {
      await run(freshRun(1, { seed: 4 }), { folder });
      const second = read(folder, "2-letters-round-1.json");
      expect(second.decided.previous).toMatchObject({ run: "1-letters", round: 1 });
      expect(second.decided.history).toEqual([{ opening: 1, run: "1-letters", round: 1, promoted: true }]);
      const checked = await checkCertificate({ file: pathOf(folder, "2-letters-round-1.json") });
      expect(checked).toMatchObject({ verdict: "holds" });
      expect(statusOf(checked, "chain")).toBe("verified");
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

describe("signCertificate", () => {
  const keys = (kind: "ed25519" | "rsa") => {
    const pair =
      kind === "ed25519"
        ? generateKeyPairSync("ed25519")
        : generateKeyPairSync("rsa", { modulusLength: 2048 });
    const [key, publicKey] = ["key.pem", "public.pem"].map((name) => join(elsewhere, `${kind}-${name}`)) as [
      string,
      string,
    ];
    writeFileSync(key, pair.privateKey.export({ format: "pem", type: "pkcs8" }));
    writeFileSync(publicKey, pair.publicKey.export({ format: "pem", type: "spki" }));
    return { key, publicKey };
  };

  test("signs a file in its place; audits that are added later need another signature", async () => {
    const { key, publicKey } = keys("ed25519");
    const file = join(mkdtempSync(join(elsewhere, "signed-")), "signed.json");
    copyFileSync(pathOf(fresh, "1-letters-round-2.json"), file);
    await signCertificate({ file, key });
    const checked = await checkCertificate({ file, publicKey });
    expect(checked.verdict).toBe("holds");
    expect(statusOf(checked, "signature")).toBe("verified");
    const signed = JSON.parse(readFileSync(file, "utf8")) as Certificate;
    const fewer = { ...sealed(signed.decided, signed.audits.slice(0, 1)), signature: signed.signature };
    writeFileSync(file, JSON.stringify(fewer));
    expect(statusOf(await checkCertificate({ file, publicKey }), "signature")).toBe("contradicted");
  });

  test("says so where the file cannot be written, and leaves it as it is", async () => {
    const { key } = keys("ed25519");
    const folder = mkdtempSync(join(elsewhere, "unwritable-"));
    // A name to which nothing can be added cannot be written beside itself, not even by root.
    const file = join(folder, `${"c".repeat(250)}.json`);
    copyFileSync(pathOf(fresh, "1-letters-round-1.json"), file);
    const before = readFileSync(file, "utf8");
    await expect(signCertificate({ file, key })).rejects.toMatchObject({
      code: "file-unwritable",
      category: "user",
      message: expect.stringContaining(file),
    });
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test("takes ed25519 keys only, and certificates only", async () => {
    const { key, publicKey } = keys("rsa");
    const file = join(elsewhere, "unsigned.json");
    copyFileSync(pathOf(fresh, "1-letters-round-1.json"), file);
    await expect(signCertificate({ file, key })).rejects.toMatchObject({ code: "key-unreadable" });
    await expect(signCertificate({ file, key: file })).rejects.toMatchObject({ code: "key-unreadable" });
    await expect(checkCertificate({ file, publicKey })).rejects.toMatchObject({ code: "key-unreadable" });
    writeFileSync(file, "{}");
    await expect(signCertificate({ file, key: keys("ed25519").key })).rejects.toMatchObject({
      code: "certificate-unreadable",
    });
  });
});
