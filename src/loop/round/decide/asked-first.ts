import type { Decision } from "../../../foundation/contract/index.ts";
import type { RunDefinition } from "../definition.ts";

/** A promotion that a person is to approve is asked, not acted on. */
export function askedFirst({ oversight }: Pick<RunDefinition, "oversight">, decision: Decision): Decision {
  const asks = oversight.ask.includes("promotion") && decision.acted && decision.decision === "promote";
  return asks ? { ...decision, decision: "ask", acted: false } : decision;
}
