import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { hashOf, type Json, sha256 } from "../../foundation/base/index.ts";
import { type Claim, type Contradiction, claim, differences, same } from "./claim.ts";
import type { Certificate } from "./schema.ts";
import { commitmentOf, hashOfDecided, sealsOf, signedText } from "./seals.ts";

/** That every part is what its seal says, and the hash that of the seals. */
export function sealClaims(certificate: Certificate): Claim[] {
  const { seals, hash, decided } = certificate;
  const found = sealsOf(certificate);
  const broken = [...new Set([...Object.keys(seals), ...Object.keys(found)])]
    .filter((path) => seals[path] !== found[path])
    .flatMap((path): Contradiction[] => [
      { field: path, words: "is not what its seal says" },
      { field: `seals.${path}`, words: "is not the hash of its part" },
    ]);
  const { commitment, rows } = decided.results;
  const committed = rows === null ? seals["decided.results.rows"] : commitmentOf(rows);
  const opened =
    committed === commitment
      ? []
      : [{ field: "decided.results.commitment", words: "is not the hash of the results" }];
  const whole =
    hash === hashOfDecided(seals) ? [] : [{ field: "hash", words: "is not the hash of the seals" }];
  const names = ["hash", "seals", "decided.results.commitment"];
  return [
    claim(
      "seals",
      "recomputed",
      `nothing was changed since it was written: all ${Object.keys(found).length} parts have the hashes that it states`,
      names,
      [...broken, ...opened, ...whole],
    ),
  ];
}

/** Whose certificate it is. */
export function signatureClaim(certificate: Certificate, publicKey: KeyObject | undefined): Claim {
  const { signature } = certificate;
  const fields = ["signature"];
  const wrong = (words: string): Claim =>
    claim("signature", "verified", "it is signed", fields, [{ field: "signature", words }]);
  if (signature === null)
    return publicKey === undefined
      ? claim("signature", "trusted", "it is not signed: whoever gives it to you vouches for it", fields)
      : wrong("there is none, and one by the key that you gave was asked for");
  const stated = keyOf(signature.publicKey);
  if (stated === undefined) return wrong("its public key is no ed25519 key");
  const value = Buffer.from(signature.value, "base64");
  const fits =
    value.toString("base64") === signature.value &&
    verify(null, Buffer.from(signedText(certificate)), stated, value);
  if (!fits) return wrong("does not fit the certificate and its public key");
  if (publicKey === undefined)
    return claim(
      "signature",
      "recomputed",
      "it is signed by the key that it names; that the key is its maker's you have to know (--public-key)",
      fields,
    );
  return publicKey.equals(stated)
    ? claim("signature", "verified", "it is signed by the key that you gave", fields)
    : wrong("is by another key than the one that you gave");
}

function keyOf(text: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(text, "base64"), format: "der", type: "spki" });
    const exact = key.export({ format: "der", type: "spki" }).toString("base64") === text;
    return key.asymmetricKeyType === "ed25519" && exact ? key : undefined;
  } catch {
    return undefined;
  }
}

/** What the certificate before it is, where it lies beside this one. */
export function chainClaim({ decided }: Certificate, others: readonly Certificate[]): Claim {
  const { previous } = decided;
  const fields = ["decided.previous"];
  if (previous === null)
    return claim("chain", "trusted", "it is the first of its folder: nothing came before it", fields);
  const name = `round ${previous.round} of ${previous.run}`;
  const beside = others.filter(
    ({ decided: { run } }) => run.id === previous.run && run.round === previous.round,
  );
  if (beside.length === 0)
    return claim("chain", "trusted", `the certificate before it, of ${name}, is not beside this one`, fields);
  const found = beside.map((before) => hashOfDecided(sealsOf(before)));
  return claim(
    "chain",
    "verified",
    `it follows the certificate of ${name}, which lies beside it`,
    fields,
    found.includes(previous.hash)
      ? []
      : [
          {
            field: "decided.previous.hash",
            words: `the certificate of ${name} beside it has ${found.join(", ")}`,
          },
        ],
  );
}

/** That the seed is the one that was committed to, and that nobody chose it. */
export function seedClaims({ decided }: Certificate): Claim[] {
  const { seed, run, configuration } = decided;
  const drawn = hashOf({
    seed: (configuration.description.seed ?? null) as Json,
    run: run.id,
    round: run.round,
    purpose: "decision",
  });
  return [
    claim(
      "seed",
      "recomputed",
      "the decision seed is the one whose hash it says was told: SHA-256 of it is the commitment",
      ["decided.seed"],
      sha256(seed.value) === seed.hash
        ? []
        : [{ field: "decided.seed", words: "the seed does not have the hash that was told" }],
    ),
    claim(
      "seed-follows",
      "recomputed",
      "the decision seed follows from the run's seed, which the file states, its name and the round",
      ["decided.seed.value", "decided.run.id", "decided.run.round", "decided.configuration.description"],
      drawn === seed.value
        ? []
        : [
            {
              field: "decided.seed.value",
              words: "is not what the run's seed, its name and the round give",
            },
            { field: "decided.run", words: "does not give the decision seed" },
          ],
    ),
    claim(
      "seed-not-chosen",
      "trusted",
      "nobody picked the run's seed and name: whoever begins a run gives them, and may have begun others before that promoted nothing",
      ["decided.configuration.description", "decided.run.id"],
    ),
    claim(
      "seed-told-before-training",
      "trusted",
      "the commitment was told before the round trained: it stands in the ledger's round-started, and binds to no more than the run's seed, its name and the round do",
      ["decided.seed.hash"],
    ),
  ];
}

/** Configuration and protocol are what their hashes say, and say the same. */
export function protocolClaims({ decided }: Certificate): Claim[] {
  const { configuration, protocol, run } = decided;
  const { description } = configuration;
  const { content } = protocol;
  const hashClaim = (name: "configuration" | "protocol", value: Json, stated: string): Claim =>
    claim(
      name,
      "recomputed",
      `the ${name} is the one whose hash it states`,
      [`decided.${name}`],
      hashOf(value) === stated
        ? []
        : [{ field: `decided.${name}`, words: `its hash is ${hashOf(value)}, not ${stated}` }],
    );
  const { mode: _mode, ...gate } = record(description.gate);
  const protocolGate = record(content.gate);
  const told = {
    task: description.task,
    verifier: description.verifier,
    harness: description.refine,
    evaluate: description.evaluate,
  };
  const unlike = [
    ...differences("decided.protocol.content", content, told),
    ...differences("decided.protocol.content.gate", protocolGate, { smallestGain: null, ...gate }),
  ];
  const name = same(run.name, description.name)
    ? []
    : [{ field: "decided.run.name", words: "is not the name in the configuration" }];
  return [
    hashClaim("configuration", description as Json, configuration.hash),
    hashClaim("protocol", content as Json, protocol.hash),
    claim(
      "protocol-of-configuration",
      "recomputed",
      "what was measured by is what the configuration says: task, verifier, harness, items and gate",
      ["decided.protocol.content", "decided.configuration.description", "decided.run.name"],
      [...unlike, ...name],
    ),
    claim(
      "configured-so",
      "trusted",
      "this is the configuration that ran, on a task of these parts with these weights",
      ["decided.configuration", "decided.protocol"],
    ),
  ];
}

/** A part of a description as members; none where it is something else. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
