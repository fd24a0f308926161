import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** The run's own memory of where it died before, so that it dies nowhere twice. */
function diedBefore(log: string): ReadonlySet<string> {
  return new Set(existsSync(log) ? readFileSync(log, "utf8").split("\n") : []);
}

/** Ends this process as nothing can foresee, once at each place. */
export function selfKill(log: string): (place: string) => void {
  const died = diedBefore(log);
  return (place) => {
    if (died.has(place)) return;
    appendFileSync(log, `${place}\n`);
    process.kill(process.pid, "SIGKILL");
  };
}

/** Of each step one side alone, and of the next the other. */
export function onOneSide(die: (place: string) => void, log: string): (place: string) => void {
  const died = diedBefore(log);
  const last = [...died].findLast((place) => sideOf(place) !== undefined);
  const next = sideOf(last ?? "") === "done" ? "stored" : "done";
  return (place) => {
    const side = sideOf(place);
    const other = `${place.slice(0, -(side?.length ?? 0))}${side === "done" ? "stored" : "done"}`;
    if (side === next && !died.has(other)) die(place);
  };
}

function sideOf(place: string): "done" | "stored" | undefined {
  return (["done", "stored"] as const).find((side) => place.endsWith(` ${side}`));
}

type Step = (name: string, input: unknown, work: () => Promise<unknown>) => Promise<unknown>;

/**
 * Lets `die` hear of both sides of every durable step's end, in the very package that runs: its work is done and nothing of it
 * stored, and all is stored and nobody has read it.
 */
export async function atStepBoundaries(die: (place: string) => void): Promise<void> {
  const url = new URL("../../dist/foundation/ledger/run-ledger.js", import.meta.url).href;
  const { RunLedger } = (await import(url)) as { readonly RunLedger: { readonly prototype: { step: Step } } };
  const { step } = RunLedger.prototype;
  RunLedger.prototype.step = async function (name, input, work) {
    let worked = false;
    const stored = await step.call(this, name, input, async () => {
      const result = await work();
      worked = true;
      die(`${name} done`);
      return result;
    });
    if (worked) die(`${name} stored`);
    return stored;
  };
}
