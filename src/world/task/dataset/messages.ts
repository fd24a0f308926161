import type { Message } from "../../../foundation/contract/index.ts";
import { kindOf } from "./json-row.ts";
import type { Reason } from "./row.ts";

/** What is wrong in a row, before it is said where. */
export interface Fault {
  readonly reason: Reason;
  readonly detail: string;
}

export function isFault(value: string | readonly unknown[] | object): value is Fault {
  return typeof value === "object" && "reason" in value;
}

const roles = ["system", "developer", "user", "assistant", "tool"];

/** Reads a conversation; in a file that has only text, such as CSV, it is written as JSON. */
export function messagesOf(value: unknown, name: string): readonly Message[] | Fault {
  const list = typeof value === "string" ? parsed(value) : value;
  if (!Array.isArray(list)) return wrongType(`${name} is ${kindOf(list)}, not a list of messages`);
  for (const [index, message] of list.entries()) {
    const where = `message ${index + 1} of ${name}`;
    if (typeof message !== "object" || message === null)
      return wrongType(`${where} is ${kindOf(message)}, not an object with role and content`);
    const { role, content } = message as Readonly<Record<string, unknown>>;
    if (typeof role !== "string" || !roles.includes(role))
      return wrongType(`${where} has the role ${JSON.stringify(role)}; it is ${roles.join(", ")}`);
    if (typeof content !== "string")
      return wrongType(`the content of ${where} is ${kindOf(content)}, not text`);
  }
  return list.map(({ role, content }) => ({ role, content }));
}

/** Reads text; a number is written out. */
export function plainText(value: unknown, name: string): string | Fault {
  if (typeof value === "string") return value;
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "number") return wrongType(`${name} is ${kindOf(value)}, not text`);
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
    return wrongType(`${name} is a number that cannot be kept exactly; write it in quotes`);
  return String(value);
}

function wrongType(detail: string): Fault {
  return { reason: "wrong-type", detail };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
