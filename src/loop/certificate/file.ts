import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileReason, type Json, userError } from "../../foundation/base/index.ts";
import { type Certificate, certificateSchema } from "./schema.ts";

/** How a promotion's certificate is called in a project's folder of certificates. */
export function certificateName(run: string, round: number): string {
  return `${run}-round-${round}.json`;
}

/** JSON for people: a member a line, and lists of numbers or hashes on one line. */
export function certificateText(value: Json, indent = ""): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    const flat = value.every((member) => typeof member !== "object" || member === null);
    if (flat) return `[${value.map((member) => JSON.stringify(member)).join(", ")}]`;
    return `[\n${value.map((member: Json) => deeper + certificateText(member, deeper)).join(",\n")}\n${indent}]`;
  }
  const members = Object.entries(value).flatMap(([name, member]) =>
    member === undefined ? [] : [`${deeper}${JSON.stringify(name)}: ${certificateText(member, deeper)}`],
  );
  return members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n${indent}}`;
}

/** A file's JSON. Throws a user error `certificate-unreadable`. */
export function readJsonFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw userError(
      "certificate-unreadable",
      `${path} cannot be read as a certificate (${fileReason(error)}): name a file that \`whetstone certificate show\` names.`,
      { path },
    );
  }
}

/** Certificates that lie beside a file, those that can be read. */
export function certificatesBeside(path: string): Certificate[] {
  const folder = dirname(path);
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => {
      try {
        const read = certificateSchema.safeParse(JSON.parse(readFileSync(join(folder, name), "utf8")));
        return read.success ? [read.data] : [];
      } catch {
        return [];
      }
    });
}
