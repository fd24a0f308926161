import { generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { checkClaims } from "../../certificate/check.ts";
import { type Certificate, certificateSchema } from "../../certificate/schema.ts";
import { sealed } from "../../certificate/seals.ts";
import { signedWith } from "../../certificate/sign.ts";
import { type Certificates, named, writtenCertificates } from "../testing/certificates.ts";

let certificates: Certificates;
beforeAll(async () => {
  certificates = await writtenCertificates();
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
      seed: "recomputed",
      "seed-follows": "recomputed",
      "seed-not-chosen": "trusted",
      configuration: "recomputed",
      protocol: "recomputed",
      items: "recomputed",
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
