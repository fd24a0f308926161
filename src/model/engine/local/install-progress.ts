import { basename } from "node:path";
import type { EngineProgress } from "../definition.ts";

/** Says once a second, and with every new package, how long a step has been going and what it is at. */
export function stepProgress(
  steps: readonly string[],
  index: number,
  onProgress: EngineProgress | undefined,
): Disposable & { readonly line: (line: string) => void } {
  const began = performance.now();
  let doing = "";
  const tell = (): void => {
    const seconds = Math.round((performance.now() - began) / 1000);
    onProgress?.(
      [steps[index], ...(doing === "" ? [] : [doing]), ...(seconds === 0 ? [] : [`${seconds} s`])].join(
        " · ",
      ),
      index,
      steps.length,
    );
  };
  tell();
  const timer = setInterval(tell, 1000);
  return {
    line: (line) => {
      const shown = describePipLine(line);
      if (shown === undefined || shown === doing) return;
      doing = shown;
      tell();
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** What pip is doing, in a few words; undefined for lines that say nothing new. */
export function describePipLine(line: string): string | undefined {
  const [, verb, what] =
    /^\s*(Collecting|Downloading|Processing|Installing collected packages:) (.+)$/.exec(line) ?? [];
  if (verb === undefined || what === undefined) return undefined;
  if (verb === "Collecting") return `finding ${what.split(/[\s;<>=!~[(]/)[0]}`;
  if (verb.startsWith("Installing")) return `unpacking ${what.split(",").length} packages`;
  const [, file = what, size] = /^(\S+)(?: \((\d.*)\))?/.exec(what) ?? [];
  const distribution = basename(file).split("-")[0];
  return `${verb.toLowerCase()} ${distribution}${size === undefined ? "" : ` (${size})`}`;
}
