import { generateKeyPairSync } from "node:crypto";
import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkClaims } from "../../certificate/check.ts";
import type { Claim } from "../../certificate/claim.ts";
import { type Certificate, certificateSchema } from "../../certificate/schema.ts";
import { sealed, sealsOf } from "../../certificate/seals.ts";
import { signedWith } from "../../certificate/sign.ts";
import { freshRun, promote, read, reusedRun } from "../testing/promoted.ts";

const folders: string[] = [];
/** Of fresh items, with probes and both audits; and sealed, of items that are used again. */
const certificates: Record<"fresh" | "reused", Certificate> = {} as never;
let before: Certificate;
beforeAll(async () => {
  folders.push(await promote(freshRun(2)), await promote(reusedRun(2)));
  certificates.fresh = read(folders[0] ?? "", "1-letters-round-2.json");
  before = read(folders[0] ?? "", "1-letters-round-1.json");
  certificates.reused = read(folders[1] ?? "", "1-letters-round-2.json");
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

type Path = readonly (string | number)[];

/** Every leaf of a value; an empty list or object is one. */
function leavesOf(value: unknown, path: Path = []): { readonly path: Path; readonly leaf: unknown }[] {
  if (typeof value !== "object" || value === null) return [{ path, leaf: value }];
  const members = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  if (members.length === 0) return [{ path, leaf: value }];
  return members.flatMap(([name, member]) => leavesOf(member, [...path, name]));
}

/** Long lists are alike from end to end: the first, the last and two between stand for them. */
function sampled(leaves: ReturnType<typeof leavesOf>): ReturnType<typeof leavesOf> {
  const shape = ({ path }: { readonly path: Path }): string =>
    path.map((step) => (typeof step === "number" ? "#" : step)).join(".");
  return [...Map.groupBy(leaves, shape).values()].flatMap((alike) =>
    alike.length <= 4
      ? alike
      : [0, Math.floor(alike.length / 3), Math.floor((2 * alike.length) / 3), alike.length - 1].map(
          (at) => alike[at] as (typeof alike)[number],
        ),
  );
}

/** Something near, of the same kind where there is one: what a forger would write. */
function forged(leaf: unknown): unknown {
  if (typeof leaf === "number") return Number.isInteger(leaf) ? leaf + 1 : leaf * 1.01 + 1e-6;
  if (typeof leaf === "boolean") return !leaf;
  if (leaf === null) return "something";
  if (typeof leaf !== "string") return Array.isArray(leaf) ? ["0".repeat(64)] : { forged: true };
  if (/^[0-9a-f]{64}$/.test(leaf)) return `${leaf.startsWith("5") ? "6" : "5"}${leaf.slice(1)}`;
  return `${leaf.slice(0, -1)}${leaf.endsWith("x") ? "y" : "x"}`;
}

function withLeaf(certificate: Certificate, path: Path, leaf: unknown): Certificate {
  const copy = structuredClone(certificate) as unknown as Record<string | number, unknown>;
  let at = copy;
  for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, unknown>;
  at[path.at(-1) as string] = leaf;
  return copy as unknown as Certificate;
}

const named = (claims: readonly Claim[]): string[] =>
  claims.flatMap(({ contradictions }) => contradictions.map(({ field }) => field));
/** Whether a field is the leaf, or a part that the leaf is in. */
const covers = (field: string, path: Path): boolean => {
  const leaf = `${path.join(".")}.`;
  // What was put into an empty list is named by its place there.
  return leaf.startsWith(`${field}.`) || `${field}.`.startsWith(leaf);
};

describe.each(["fresh", "reused"] as const)("a certificate of %s items", (kind) => {
  test("holds as it was written", async () => {
    const claims = await checkClaims(certificates[kind]);
    expect(named(claims)).toEqual([]);
    expect(certificateSchema.parse(certificates[kind])).toEqual(certificates[kind]);
    const statuses = new Map(claims.map(({ claim, status }) => [claim, status]));
    expect(Object.fromEntries(statuses)).toMatchObject({
      form: "verified",
      seed: "verified",
      configuration: "verified",
      protocol: "verified",
      items: "verified",
      level: "recomputed",
      bets: kind === "fresh" ? "recomputed" : "trusted",
      probes: kind === "fresh" ? "recomputed" : "trusted",
      decision: "recomputed",
      "audit-gain-base": "recomputed",
      "audit-gain-previous-champion": "recomputed",
      measurement: "trusted",
      "seed-told-before-training": "trusted",
      "verifier-measured": "trusted",
      "verifier-integrity": "recomputed",
    });
    expect(statuses.size).toBe(claims.length);
  });

  test("every field in turn, forged, is named", async () => {
    const leaves = sampled(leavesOf(certificates[kind]));
    expect(leaves.length).toBeGreaterThan(200);
    const unnamed: string[] = [];
    for (const { path, leaf } of leaves) {
      const claims = await checkClaims(withLeaf(certificates[kind], path, forged(leaf)));
      if (!named(claims).some((field) => covers(field, path))) unnamed.push(path.join("."));
    }
    expect(unnamed).toEqual([]);
  }, 120_000);

  test("every field in turn, taken out, is named", async () => {
    const unnamed: string[] = [];
    for (const { path } of sampled(leavesOf(certificates[kind]))) {
      if (typeof path.at(-1) === "number") continue;
      const copy = withLeaf(certificates[kind], path, undefined);
      const claims = await checkClaims(JSON.parse(JSON.stringify(copy)));
      if (!named(claims).some((field) => covers(field, path))) unnamed.push(path.join("."));
    }
    expect(unnamed).toEqual([]);
  }, 120_000);

  test("forged and sealed anew, a field is named, or what rests on it is said to be taken on trust", async () => {
    const silent: string[] = [];
    for (const { path, leaf } of sampled(leavesOf(certificates[kind]))) {
      if (path[0] !== "decided" && path[0] !== "audits") continue;
      const { decided, audits } = withLeaf(certificates[kind], path, forged(leaf));
      const form = certificateSchema.shape.decided.safeParse(decided);
      if (!form.success || !certificateSchema.shape.audits.safeParse(audits).success) continue;
      const claims = await checkClaims(sealed(decided, audits));
      const trusted = claims.some(
        ({ status, fields }) => status === "trusted" && fields.some((field) => covers(field, path)),
      );
      if (!trusted && named(claims).length === 0) silent.push(path.join("."));
    }
    expect(silent).toEqual([]);
  }, 120_000);

  test("forged, sealed anew and not signed anew, every field breaks the signature", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const signed = signedWith(certificates[kind], privateKey);
    const claims = await checkClaims(signed, { publicKey });
    expect(claims.find(({ claim }) => claim === "signature")?.status).toBe("verified");
    expect((await checkClaims(signed)).find(({ claim }) => claim === "signature")?.status).toBe("recomputed");
    const unbroken: string[] = [];
    for (const { path, leaf } of sampled(leavesOf(certificates[kind]))) {
      if (path[0] !== "decided" && path[0] !== "audits") continue;
      const { decided, audits } = withLeaf(signed, path, forged(leaf));
      if (!certificateSchema.safeParse({ ...signed, decided, audits }).success) continue;
      const again = { ...sealed(decided, audits), signature: signed.signature };
      if (JSON.stringify(again.seals) === JSON.stringify(signed.seals)) continue;
      const found = await checkClaims(again, { publicKey });
      if (!named(found).includes("signature")) unbroken.push(path.join("."));
    }
    expect(unbroken).toEqual([]);
  }, 120_000);
});

const contradicted = async (certificate: unknown, name: string, rest = {}): Promise<readonly string[]> =>
  (await checkClaims(certificate, rest))
    .filter(({ claim }) => claim === name)
    .flatMap(({ contradictions }) => contradictions.map(({ field, words }) => `${field} ${words}`));

/** What a forger who knows the seals would give. */
const anew = (
  change: (decided: Certificate["decided"], audits: Certificate["audits"]) => void,
  of = certificates.fresh,
) => {
  const { decided, audits } = structuredClone(of);
  change(decided, audits);
  return sealed(decided, audits);
};

describe("a forger who seals anew", () => {
  test("cannot put an item of another split among the decision items", async () => {
    const forgery = anew(({ items }) => {
      (items.blocks[0] ?? [])[0] = "0".repeat(64);
    });
    expect(await contradicted(forgery, "items")).toEqual(["decided.items 1 of them are in another split"]);
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
    expect((await contradicted(chosen, "seed-not-chosen"))[0]).toMatch(/is not what the run's seed/);
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

describe("checkClaims", () => {
  test("follows the chain to what lies beside it", async () => {
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
    delete decided.integrity.reward;
    const old = sealed(decided, audits, 1);
    const claims = await checkClaims(old);
    expect(named(claims)).toEqual([]);
    expect(claims.find(({ claim }) => claim === "verifier-integrity")).toMatchObject({ status: "trusted" });
    expect(named(await checkClaims(sealed(decided, audits)))).toEqual(["decided.integrity.reward"]);
    expect(named(await checkClaims({ ...certificates.fresh, version: 1 }))).toEqual([
      "decided.integrity.reward",
    ]);
  });

  test("of something else says that it is no certificate, and where", async () => {
    for (const value of [
      null,
      7,
      [],
      {},
      { ...certificates.fresh, version: 3 },
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
    const looked = anew(({ opened }) => {
      opened.push({ opening: 1, run: "1-letters", round: 1, reason: "curious" });
    }, certificates.reused);
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
