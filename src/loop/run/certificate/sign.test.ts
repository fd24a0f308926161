import { generateKeyPairSync } from "node:crypto";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Certificate } from "../../certificate/schema.ts";
import { sealed } from "../../certificate/seals.ts";
import { checkCertificate, signCertificate } from "../check-certificate.ts";
import { freshRun, pathOf, promote, statusOf } from "../testing/promoted.ts";

let fresh: string;
let elsewhere: string;
beforeAll(async () => {
  fresh = await promote(freshRun(2));
  elsewhere = mkdtempSync(join(tmpdir(), "elsewhere-"));
});
afterAll(() => {
  for (const folder of [fresh, elsewhere]) rmSync(folder, { recursive: true });
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
