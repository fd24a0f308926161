import type { Json } from "../../foundation/base/index.ts";

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
