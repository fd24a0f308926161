import type { EngineExtension } from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import type { ServerTraits } from "./server-traits.ts";
import type { WireDatum } from "./wire/datum.ts";

/** All that there are: a server of another version may name others, which nobody here can ask for. */
export const knownExtensions: readonly EngineExtension[] = ["embeddings", "certainty", "gradient-features"];

/** Throws `unsupported` where a server does not say that it has an extension. */
export function refuseWithout({ extensions }: Pick<ServerTraits, "extensions">, name: EngineExtension): void {
  if (!extensions.includes(name))
    throw engineError(
      "unsupported",
      `This server has no extension "${name}", which is not of the Tinker API.`,
    );
}

/** Divided in order, each part of at most that many members and that much cost in all; one member may cost more. */
export function parts<T>(
  members: readonly T[],
  costOf: (member: T) => number,
  most: { readonly members: number; readonly cost: number },
): T[][] {
  const all: T[][] = [];
  let left = 0;
  for (const member of members) {
    const cost = costOf(member);
    const last = all.at(-1);
    if (last === undefined || last.length >= most.members || cost > left) {
      all.push([member]);
      left = most.cost - cost;
    } else {
      last.push(member);
      left -= cost;
    }
  }
  return all;
}

/** Tokens that one request for gradient features holds, and numbers that its answer does: 16 MB of them. */
const mostFeatured = { tokens: 2 ** 17, numbers: 2 ** 22 };

/** Examples as they are asked about together, each of whose answers has that many dimensions. */
export function featureParts(data: readonly WireDatum[], dimensions: number): WireDatum[][] {
  const members = Math.max(1, Math.floor(mostFeatured.numbers / dimensions));
  const tokensOf = ({ chunks }: WireDatum): number =>
    chunks.reduce((sum, chunk) => sum + (chunk.kind === "tokens" ? chunk.tokens.length : 0), 0);
  return parts(data, tokensOf, { members, cost: mostFeatured.tokens });
}
