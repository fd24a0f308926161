import { createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { type Json, messageOf, readOptions, userError, writeWhole } from "../../foundation/base/index.ts";
import { certificateText, readJsonFile } from "./file.ts";
import { type Certificate, certificateSchema } from "./schema.ts";
import { signedText } from "./seals.ts";

export interface SignCertificateOptions {
  /** The file to sign, in its place. */
  readonly file: string;
  /** A file with an ed25519 private key in PEM, as `openssl genpkey -algorithm ed25519` writes it. */
  readonly key: string;
}

const optionsSchema = z.strictObject({ file: z.string().min(1), key: z.string().min(1) });

/**
 * Signs a certificate with ed25519: everything in it but the signature. Throws user errors `certificate-unreadable`,
 * `key-unreadable` and `file-unwritable`, and `no-space`.
 *
 * @example
 * await signCertificate({ file: "round-1.json", key: "key.pem" }).catch(({ code }) => console.log(code)); // "certificate-unreadable"
 */
export async function signCertificate(options: SignCertificateOptions): Promise<Certificate> {
  const { file, key } = readOptions("signCertificate()", optionsSchema, options);
  const read = certificateSchema.safeParse(readJsonFile(file));
  if (!read.success)
    throw userError("certificate-unreadable", `${file} is no certificate that this version knows.`, {
      path: file,
    });
  const signed = signedWith(read.data, privateKey(key));
  await writeWhole(file, `${certificateText(signed as unknown as Json)}\n`);
  return signed;
}

export function signedWith(certificate: Certificate, key: KeyObject): Certificate {
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).toString("base64");
  const value = sign(null, Buffer.from(signedText(certificate)), key).toString("base64");
  return { ...certificate, signature: { algorithm: "ed25519", publicKey, value } };
}

function privateKey(path: string): KeyObject {
  return keyFrom(path, "private", createPrivateKey);
}

/** Throws a user error `key-unreadable`. */
export function publicKeyFrom(path: string): KeyObject {
  return keyFrom(path, "public", createPublicKey);
}

function keyFrom(path: string, what: string, read: (text: Buffer) => KeyObject): KeyObject {
  const refuse = (why: string): never => {
    throw userError(
      "key-unreadable",
      `${path} is no ed25519 ${what} key in PEM (${why}): \`openssl genpkey -algorithm ed25519 -out key.pem\` makes one, \`openssl pkey -in key.pem -pubout -out public.pem\` its public half.`,
      { path },
    );
  };
  try {
    const key = read(readFileSync(path));
    return key.asymmetricKeyType === "ed25519" ? key : refuse(`it is ${key.asymmetricKeyType ?? "another"}`);
  } catch (error) {
    return refuse(messageOf(error));
  }
}
