import type { Verdict } from "../../../../foundation/contract/index.ts";
import { verdictFrom } from "../verdict-from.ts";

export interface Reply {
  readonly id: number;
  readonly verdict: Verdict;
}

/** Reads one line of a command's output; undefined where it is no reply at all. */
export function readReply(line: string): Reply | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("id" in value) || typeof value.id !== "number")
    return undefined;
  const { id, ...rest } = value;
  return { id, verdict: verdictOfReply(rest, line) };
}

function verdictOfReply(reply: object, line: string): Verdict {
  if ("void" in reply && reply.void !== false && reply.void !== null)
    return { outcome: "void", reason: String(reply.void) };
  const score = "score" in reply ? reply.score : undefined;
  if (typeof score !== "number" && typeof score !== "boolean")
    return {
      outcome: "void",
      reason: `the verifier's reply ${shortened(line)} has neither a "score" nor "void"`,
    };
  const verdict = verdictFrom(score);
  return verdict.outcome === "scored" && "parts" in reply && reply.parts !== null
    ? verdictFrom({ ...verdict, parts: reply.parts })
    : verdict;
}

/** How a message shows a line: the beginning of it. */
export function shortened(line: string): string {
  return line.length <= 120 ? line : `${line.slice(0, 120)}…`;
}
