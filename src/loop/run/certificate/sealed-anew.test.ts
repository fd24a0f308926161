import { beforeAll, describe, expect, test } from "vitest";
import { checkClaims } from "../../certificate/check.ts";
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

const anew = (change: Parameters<typeof sealedAnew>[1]) => sealedAnew(certificates.fresh, change);

describe("a forger who seals anew", () => {
  test("cannot put an item of another split among the decision items", async () => {
    const forgery = anew(({ items }) => {
      (items.blocks[0] ?? [])[0] = "0".repeat(64);
    });
    expect(await contradicted(forgery, "items")).toEqual(["decided.items 1 of them are in another split"]);
  });

  test("can invent digests of no item within the split: it is said that this is taken on trust", async () => {
    const forgery = anew(({ items }) => {
      // The first 48 bits decide: .75 of the way lies between .60 and .85.
      (items.blocks[0] ?? [])[0] = "c".padEnd(64, "0");
    });
    const claims = await checkClaims(forgery);
    expect(named(claims)).toEqual([]);
    expect(claims.find(({ claim }) => claim === "items")).toMatchObject({
      status: "recomputed",
      words: expect.stringMatching(/that each is the digest of an item is taken on trust/),
    });
    expect(claims.find(({ claim }) => claim === "item-order")).toMatchObject({
      status: "trusted",
      fields: expect.arrayContaining(["decided.items"]),
    });
  });

  test("cannot count an item twice", async () => {
    const forgery = anew(({ items }) => {
      (items.blocks[0] ?? [])[0] = items.blocks[1]?.[0] ?? "";
    });
    expect(await contradicted(forgery, "items")).toEqual([
      "decided.items.blocks one item stands in two places",
    ]);
  });

  test("cannot leave out what did not speak for the candidate: the path no longer leads there", async () => {
    const forgery = anew((decided) => {
      const rows = decided.results.rows ?? [];
      const at = rows.findIndex(({ differences, probe }) => probe === undefined && differences[0] === 0);
      rows.splice(at, 1);
      decided.items.blocks.splice(at, 1);
      decided.opening = {
        ...decided.opening,
        blocks: decided.opening.blocks - 1,
        pairs: decided.opening.pairs - 1,
      };
    });
    const found = await contradicted(forgery, "bets");
    expect(found.join("\n")).toMatch(/the betting path is wrong at block \d+/);
    expect(found.join("\n")).toMatch(/decided\.opening\.futilityWealth stated/);
  });

  test("cannot count a void pair for the candidate, or bet at a laxer level", async () => {
    const voided = anew(({ results }) => {
      const row = results.rows?.find(({ differences }) => (differences[0] ?? 0) > 0);
      row?.voids.push(0);
    });
    expect((await contradicted(voided, "bets")).join("\n")).toMatch(/count a void pair for the candidate/);
    const lax = anew(({ opening }) => {
      opening.alpha = 0.05;
    });
    expect((await contradicted(lax, "level")).join("\n")).toMatch(
      /decided\.opening\.alpha stated 0\.05, found 0\.0075/,
    );
  });

  test("cannot have spent less on earlier openings of the run, or claim a bound that those of others overspent", async () => {
    const forgery = anew(({ history }) => {
      for (const one of history) one.spent = 0.001;
    });
    expect((await contradicted(forgery, "level")).join()).toMatch(
      /^decided\.history\.0\.spent stated 0\.001, found 0\.0303/,
    );
    const lax = anew(({ history }) => {
      for (const one of history) Object.assign(one, { run: "0-lax", spent: 0.3 });
    });
    const level = (await checkClaims(lax)).find(({ claim }) => claim === "level");
    expect(level).toMatchObject({ status: "recomputed", words: expect.stringMatching(/below 32\.0 %/) });
  });

  test("cannot hold back what the gate would not have promoted", async () => {
    const held = anew(({ history }) => {
      for (const one of history) Object.assign(one, { promoted: false, heldBack: "person" });
    });
    expect((await contradicted(held, "level")).join()).toMatch(/^decided\.history\.0\.heldBack holds back/);
    const rejected = anew(({ history }) => {
      for (const one of history) one.heldBack = "person";
    });
    const bit = (await checkClaims(rejected)).find(({ claim }) => claim === "one-bit");
    expect(bit).toMatchObject({
      status: "trusted",
      words: expect.stringMatching(/; what opening 1 found better a person rejected, by what they knew/),
    });
  });

  test("cannot forget an opening before it", async () => {
    const forgery = anew((decided) => {
      decided.history = [];
    });
    expect(await contradicted(forgery, "level")).toEqual([
      "decided.history does not count the 1 openings before this one",
      "decided.opening.opening 0 openings before it are listed",
    ]);
  });

  test("cannot promote over a guard, or over a probe that dropped", async () => {
    const guarded = anew(({ guards }) => {
      guards.push({ guard: "g", answer: "stop", evidence: "e", value: null, threshold: null });
    });
    expect((await contradicted(guarded, "decision")).join("\n")).toMatch(/decided\.guards a guard said stop/);
    const dropped = anew(({ probes }) => {
      for (const probe of probes) if (probe.exact) probe.observed = -0.2;
    });
    expect((await contradicted(dropped, "probes")).join("\n")).toMatch(
      /probes\.0\.outcome stated "kept", found "dropped"/,
    );
    const missing = anew((decided) => {
      decided.probes = [];
    });
    expect((await contradicted(missing, "probes")).join("\n")).toMatch(
      /the protocol demands length 3, length 5 too/,
    );
  });

  test("cannot claim a gain that its pairs do not give, or use decision items for it", async () => {
    const greater = anew((_, audits) => {
      (audits[1] as (typeof audits)[number]).gain.mean += 0.1;
    });
    expect((await contradicted(greater, "audit-gain-base")).join("\n")).toMatch(
      /audits\.1\.gain\.mean stated/,
    );
    const same = anew(({ items }, audits) => {
      const [stratum] = audits[1]?.strata ?? [];
      if (stratum !== undefined) stratum.items[0] = items.blocks[0]?.[0] ?? "";
    });
    expect((await contradicted(same, "audit-gain-base")).join("\n")).toMatch(
      /are in another split[\s\S]*was used twice/,
    );
  });

  test("cannot believe the reward more than its counts allow", async () => {
    const { answers } = certificates.fresh.decided.integrity.reward ?? {};
    expect(answers?.right.of).toBeGreaterThan(20);
    const better = anew(({ integrity: { reward } }) => {
      if (reward?.breakdown != null) reward.breakdown.value = reward.breakdown.low = 0.999;
      if (reward?.wrong != null) reward.wrong.high = 0.01;
    });
    const found = (await contradicted(better, "verifier-integrity")).join("\n");
    expect(found).toMatch(/decided\.integrity\.reward\.breakdown stated .*"low":0\.999/);
    expect(found).toMatch(/decided\.integrity\.reward\.wrong stated .*"high":0\.01/);
    const circular = anew(({ integrity: { reward } }) => {
      if (reward !== undefined) reward.circular = true;
    });
    expect((await contradicted(circular, "verifier-integrity")).join("\n")).toMatch(
      /reward\.circular and yet answers are counted/,
    );
    const impossible = anew(({ integrity: { planted, reward } }) => {
      if (planted !== null) planted.wrong.kept = planted.wrong.of + 1;
      if (reward?.answers != null) reward.answers.right.kept = reward.answers.right.of + 1;
    });
    expect((await contradicted(impossible, "verifier-measured"))[0]).toMatch(
      /planted\.wrong \d+ of \d+ cannot be/,
    );
    expect((await contradicted(impossible, "verifier-integrity"))[0]).toMatch(
      /reward\.answers\.right \d+ of \d+ cannot be/,
    );
  });

  test("cannot choose the seed", async () => {
    const chosen = anew(({ seed }) => {
      seed.value = "0123456789abcdef";
    });
    expect(await contradicted(chosen, "seed")).toEqual([
      "decided.seed the seed does not have the hash that was told",
    ]);
    expect((await contradicted(chosen, "seed-follows"))[0]).toMatch(/is not what the run's seed/);
  });

  test("cannot seal results that need no seal", async () => {
    const hidden = anew(({ results }) => {
      results.rows = null;
    });
    expect((await contradicted(hidden, "bets")).join("\n")).toMatch(
      /rows are missing, and nothing allows to seal them/,
    );
  });
});
