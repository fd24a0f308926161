import { userError, type WhetstoneError } from "../../foundation/base/index.ts";
import type { Precision } from "../../foundation/contract/index.ts";
import type { EngineDefinition } from "../../model/engine/index.ts";
import { local } from "../../model/engine/local/index.ts";
import { tabular } from "../../model/engine/tabular/index.ts";
import { chosen } from "./chosen.ts";

const engines: Readonly<Record<string, () => EngineDefinition>> = {
  local: () => local({ workers: 1 }),
  tabular: () => tabular(),
};

/** All that any of them has: what the one does not have is refused by its needs. */
export const precisions = (): readonly Precision[] => [
  ...new Set(Object.values(engines).flatMap((definition) => definition().abilities?.precisions ?? [])),
];

/** The engine of this machine that a command line names, as it is checked. Throws a user error `invalid-option`. */
export function checkedEngine(which: string, deterministic = false): EngineDefinition {
  const called = chosen("ENGINE", which, [...Object.keys(engines), "a server's address (http://…)"]);
  if (!deterministic) return (engines[called] as () => EngineDefinition)();
  if (called !== "local") throw notDeterministic();
  return local({ workers: 1, deterministic });
}

export const notDeterministic = (): WhetstoneError =>
  userError(
    "invalid-option",
    "--deterministic is for the local engine: tables give equal bits always, and a server never promises any. Leave it out, or check local.",
  );
