import { generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { checkClaims } from "../../certificate/check.ts";
import type { Certificate } from "../../certificate/schema.ts";
import { sealed, sealsOf } from "../../certificate/seals.ts";
import { signedWith } from "../../certificate/sign.ts";
import {
  type Certificates,
  contradicted,
  named,
  sealedAnew,
  writtenCertificates,
} from "../testing/certificates.ts";

let certificates: Certificates;
beforeAll(async () => {
  certificates = await writtenCertificates();
});

describe("checkClaims", () => {
  test("follows the chain to what lies beside it", async () => {
    const { before } = certificates;
    const chain = async (others: Certificate[]) =>
      (await checkClaims(certificates.fresh, { others })).find(({ claim }) => claim === "chain");
    expect(await chain([before])).toMatchObject({ status: "verified" });
    expect(await chain([])).toMatchObject({ status: "trusted" });
    const other = structuredClone(before);
    other.decided.made.node = "v0";
    expect(await chain([other])).toMatchObject({ status: "contradicted" });
    expect((await checkClaims(before)).find(({ claim }) => claim === "chain")?.words).toMatch(
      /the first of its folder/,
    );
  });

  test("says how far wealth came beside what was asked for", async () => {
    for (const certificate of [certificates.fresh, certificates.reused]) {
      const { opening, results } = certificate.decided;
      const bets = (await checkClaims(certificate)).find(({ claim }) => claim === "bets");
      if (results.rows === null) {
        expect(bets?.words).not.toContain("wealth");
        continue;
      }
      const [, reached, asked] =
        /wealth reaches ([\d.e+]+) on \d+ pairs, where (\d+) were/.exec(bets?.words ?? "") ?? [];
      expect(Number(reached) / (opening.wealth ?? 0)).toBeCloseTo(1, 2);
      expect(Number(asked)).toBe(Math.round(1 / opening.alpha));
      expect(Number(reached)).toBeGreaterThan(Number(asked));
    }
  });

  test("says how far the reward can be believed, or that it is not measurable", async () => {
    const words = async (certificate: Certificate) =>
      (await checkClaims(certificate)).find(({ claim }) => claim === "verifier-integrity")?.words;
    expect(await words(certificates.fresh)).toMatch(
      /^the reward kept φ = 100\.0 % \(\d.* of the right answers that the model wrote and ψ = 0\.0 % \(.* of the wrong ones; p = \d.* of all were wrong, and more wrong than right is kept from p\* = 100\.0 % \(\d/,
    );
    expect(await words(certificates.reused)).toBe(
      "not measurable: the reward is the task's only judge of truth",
    );
    const shown = certificates.fresh.decided.guards.find(({ guard }) => guard === "verifier integrity");
    const { wrong, breakdown } = certificates.fresh.decided.integrity.reward ?? {};
    // What the guard measured, and nothing that was measured again.
    expect([shown?.value, shown?.threshold]).toEqual([wrong?.value, breakdown?.low]);
  });

  test("reads what the version before it wrote, which says less", async () => {
    const { decided, audits } = structuredClone(certificates.fresh);
    for (const one of decided.history) delete one.heldBack;
    expect(named(await checkClaims(sealed(decided, audits, 3)))).toEqual([]);
    expect(named(await checkClaims(sealed(decided, audits)))).toEqual(["decided.history.0.heldBack"]);
    for (const one of decided.history) delete one.spent;
    const second = await checkClaims(sealed(decided, audits, 2));
    expect(named(second)).toEqual([]);
    expect(second.find(({ claim }) => claim === "level")?.words).toMatch(
      /below 5\.0 %, where later ones test at no larger α, nor did earlier ones, of which that is not known$/,
    );
    expect(named(await checkClaims(sealed(decided, audits, 3)))).toEqual(["decided.history.0.spent"]);
    delete decided.integrity.reward;
    const old = sealed(decided, audits, 1);
    const claims = await checkClaims(old);
    expect(named(claims)).toEqual([]);
    expect(claims.find(({ claim }) => claim === "verifier-integrity")).toMatchObject({ status: "trusted" });
    expect(named(await checkClaims(sealed(decided, audits, 2)))).toEqual(["decided.integrity.reward"]);
    expect(named(await checkClaims({ ...certificates.fresh, version: 1 }))).toEqual([
      "decided.history.0.spent",
      "decided.history.0.heldBack",
      "decided.integrity.reward",
    ]);
  });

  test("of something else says that it is no certificate, and where", async () => {
    for (const value of [
      null,
      7,
      [],
      {},
      { ...certificates.fresh, version: 5 },
      { ...certificates.fresh, extra: 1 },
    ]) {
      const claims = await checkClaims(value);
      expect(claims).toHaveLength(1);
      expect(claims[0]).toMatchObject({ claim: "form", status: "contradicted" });
    }
    expect(named(await checkClaims({ ...certificates.fresh, extra: 1 }))).toEqual(["extra"]);
  });

  test("asks for the signature of the key that is given", async () => {
    const mine = generateKeyPairSync("ed25519");
    const theirs = generateKeyPairSync("ed25519");
    const signed = signedWith(certificates.fresh, mine.privateKey);
    const options = { publicKey: theirs.publicKey };
    expect(await contradicted(signed, "signature", options)).toEqual([
      "signature is by another key than the one that you gave",
    ]);
    expect((await contradicted(certificates.fresh, "signature", options))[0]).toMatch(/there is none/);
  });

  test("says in plain words that a person has looked", async () => {
    const looked = sealedAnew(certificates.reused, ({ opened }) => {
      opened.push({ opening: 1, run: "1-letters", round: 1, reason: "curious" });
    });
    const claims = await checkClaims(looked);
    expect(named(claims)).toEqual([]);
    expect(claims.find(({ claim }) => claim === "one-bit")?.words).toMatch(/^VOID: a person looked/);
  });

  test("takes numbers as the same that differ in their last bits alone", async () => {
    const other = structuredClone(certificates.fresh);
    for (const row of other.decided.results.rows ?? []) if (row.wealth !== undefined) row.wealth *= 1 + 1e-13;
    expect(await contradicted(sealed(other.decided, other.audits), "bets")).toEqual([]);
  });

  test("seals are the same whether results are open or not", () => {
    const { decided, audits } = certificates.fresh;
    const hidden = { ...decided, results: { ...decided.results, rows: null } };
    expect(sealsOf({ decided: hidden, audits })).toEqual(sealsOf({ decided, audits }));
  });
});
