import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { type CanonicalForm, readLedger } from "whetstone";
import { type WorkLine, workOf } from "./watched-engine.ts";

export type ChaosEngine = "tabular" | "local";

export interface ChaosOptions {
  readonly engine: ChaosEngine;
  /** Where the runs' folders are made. */
  readonly root: string;
  readonly rounds: number;
  /** Uniform in [0, 1). */
  readonly uniform: () => number;
  /** Measure baselines after the rounds, however few they are; and, at boundaries, die within them alone. */
  readonly baselines?: boolean;
}

/** What a run left: all that must be equal, and how much was done for it. */
interface Left {
  readonly folder: string;
  readonly ledger: CanonicalForm;
  /** Files of checkpoints by name, with their SHA-256. */
  readonly weights: Readonly<Record<string, string>>;
  readonly artifacts: readonly string[];
  readonly work: number;
  /** From its first event to its end. */
  readonly milliseconds: number;
}

export interface Killed {
  readonly kills: number;
  readonly by: { readonly cli: number; readonly worker: number };
  readonly ledgerEqual: boolean;
  readonly weightsEqual: boolean;
  /** Work that was done again, as a share of the uninterrupted run's, a kill. */
  readonly redoneShare: number;
  /** Folders of runs that came to another end. */
  readonly different: readonly string[];
}

/** Work is done and nothing of it stored, and all of it is stored and nobody has read it: both of each step, or one of them in turn. */
export type BoundarySides = "both" | "alternating";
type Deaths = "none" | BoundarySides;

interface Started {
  readonly child: ChildProcess;
  /** Its first event, or its end. */
  readonly begun: Promise<void>;
  readonly ended: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly said: string;
  }>;
}

/** Each baseline's end, and the middle of its training: every stretch of it would be many deaths of one kind. */
const baselineEnds = "/baseline-[\\w-]+(?:/1/pass-0/update/solver/5\\d)? (?:done|stored)$";

const program = join(import.meta.dirname, "..", "..", "bin", "whetstone.js");

/** Runs that are killed, and compared with one that was not. */
export class Chaos {
  readonly #options: ChaosOptions;
  #whole: Promise<Left> | undefined;

  constructor(options: ChaosOptions) {
    this.#options = options;
    mkdirSync(options.root, { recursive: true });
  }

  /** The run that nothing interrupts. */
  whole(): Promise<Left> {
    this.#whole ??= (async () => {
      const folder = this.#newFolder();
      const milliseconds = await this.#toTheEnd(folder, "none");
      return this.#left(folder, milliseconds);
    })();
    return this.#whole;
  }

  /**
   * One run that dies at every durable step's end, on both sides of it or on one of them in turn, and once between a step and its
   * answer.
   */
  async atBoundaries(
    sides: BoundarySides = "both",
  ): Promise<Killed & { readonly places: readonly string[]; readonly folders: readonly string[] }> {
    const folder = this.#newFolder();
    let kills = 0;
    for (;;) {
      const { code, signal, said } = await this.#start(folder, sides).ended;
      if (code === 0) break;
      if (signal !== "SIGKILL") throw new Error(`the run ended with ${code ?? signal}: ${said}`);
      kills += 1;
    }
    const places = readFileSync(join(folder, "deaths.log"), "utf8").trim().split("\n");
    return { ...(await this.#compare([folder], { cli: kills, worker: 0 })), places, folders: [folder] };
  }

  /** Kills at random points until there were so many: the command, or every other time one of its workers. */
  async atRandom(kills: number): Promise<Killed & { readonly folders: readonly string[] }> {
    const { milliseconds } = await this.whole();
    const { engine, uniform } = this.#options;
    const by = { cli: 0, worker: 0 };
    const folders: string[] = [];
    while (by.cli + by.worker < kills) {
      const folder = this.#newFolder();
      folders.push(folder);
      for (let finished = false; !finished; ) {
        const { child, begun, ended } = this.#start(folder, "none");
        await begun;
        const over = ended.then(() => true);
        let dead = false;
        while (!dead && by.cli + by.worker < kills) {
          const patience = 0.4 * uniform() * milliseconds;
          if (await Promise.race([over, later(patience)])) break;
          if (engine === "tabular" || by.worker > by.cli) {
            dead = child.kill("SIGKILL");
            by.cli += dead ? 1 : 0;
          } else if (by.worker % 2 === 1) by.worker += killOne(workersOf(child), uniform) ? 1 : 0;
          else by.worker += (await killedUnread(join(folder, "package"), child, over)) ? 1 : 0;
        }
        const { code, signal, said } = await ended;
        finished = code === 0;
        if (!finished && signal !== "SIGKILL")
          throw new Error(`the run ended with ${code ?? signal}: ${said}`);
      }
    }
    return { ...(await this.#compare(folders, by)), folders };
  }

  async #toTheEnd(folder: string, deaths: Deaths): Promise<number> {
    const { begun, ended } = this.#start(folder, deaths);
    await begun;
    const began = performance.now();
    const { code, signal, said } = await ended;
    if (code !== 0) throw new Error(`the run ended with ${code ?? signal}: ${said}`);
    return performance.now() - began;
  }

  #newFolder(): string {
    const folder = mkdtempSync(join(this.#options.root, "run-"));
    const config = pathToFileURL(join(import.meta.dirname, "whetstone.config.ts")).href;
    writeFileSync(
      join(folder, "whetstone.config.ts"),
      `export { default } from ${JSON.stringify(config)};\n`,
    );
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
    return folder;
  }

  #start(folder: string, deaths: Deaths): Started {
    const { engine, rounds, baselines = false } = this.#options;
    const child = spawn(process.execPath, [program, "run", "--json"], {
      cwd: folder,
      env: {
        ...process.env,
        CHAOS_ENGINE: engine,
        CHAOS_DEATHS: deaths,
        CHAOS_ROUNDS: String(rounds),
        ...(baselines ? { CHAOS_BASELINES: "short", CHAOS_WITHIN: baselineEnds } : {}),
        NODE_COMPILE_CACHE: join(this.#options.root, "compiled"),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    const lines = createInterface({ input: child.stdout });
    let last = "";
    lines.on("line", (line) => {
      last = line;
    });
    const ended = new Promise<Awaited<Started["ended"]>>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve({ code, signal, said: `${said}\n${last}`.slice(-2000) }));
    });
    const first = new Promise<void>((resolve) => lines.once("line", () => resolve()));
    return { child, begun: Promise.race([first, ended.then(() => undefined)]), ended };
  }

  #left(folder: string, milliseconds: number): Left {
    const state = join(folder, ".whetstone");
    using ledger = readLedger({ folder });
    const run = ledger?.runs()[0]?.id ?? "";
    const form = ledger?.canonicalForm(run);
    if (form === undefined) throw new Error(`${folder} has no ledger`);
    return {
      folder,
      ledger: form,
      weights: digestsOf(join(state, "checkpoints")),
      artifacts: Object.keys(digestsOf(join(state, "artifacts"))),
      work: workOf(linesOf(join(folder, "work.log"))),
      milliseconds,
    };
  }

  async #compare(folders: readonly string[], by: Killed["by"]): Promise<Killed> {
    const whole = await this.whole();
    const runs = folders.map((folder) => this.#left(folder, 0));
    const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
    const ledgerSame = (run: Left): boolean =>
      same(run.ledger, whole.ledger) && same(run.artifacts, whole.artifacts);
    const weightsSame = (run: Left): boolean => same(run.weights, whole.weights);
    const redone = runs.reduce((sum, { work }) => sum + work - whole.work, 0);
    const kills = by.cli + by.worker;
    return {
      kills,
      by,
      ledgerEqual: runs.every(ledgerSame),
      weightsEqual: runs.every(weightsSame),
      redoneShare: redone / whole.work / Math.max(1, kills),
      different: runs.filter((run) => !ledgerSame(run) || !weightsSame(run)).map(({ folder }) => folder),
    };
  }
}

/** Numbers that a seed fixes, uniform in [0, 1). */
export function uniformOf(seed: number, purpose: string): () => number {
  let drawn = 0;
  return () => {
    drawn += 1;
    return createHash("sha256").update(`${seed} ${purpose} ${drawn}`).digest().readUIntLE(0, 6) / 2 ** 48;
  };
}

const later = (milliseconds: number): Promise<false> =>
  new Promise((resolve) => setTimeout(() => resolve(false), milliseconds));

function workersOf({ pid }: ChildProcess): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")
        .trim()
        .split(" ")
        .filter(Boolean)
        .map(Number),
    );
  } catch {
    return [];
  }
}

/** False where there is none, or it is gone already. */
function killOne(workers: readonly number[], uniform: () => number): boolean {
  const worker = workers[Math.floor(uniform() * workers.length)];
  try {
    return worker !== undefined && process.kill(worker, "SIGKILL");
  } catch {
    return false;
  }
}

/** The worker that applies the next optimiser step dies with it, before it answers; false where the run ends before. */
async function killedUnread(place: string, child: ChildProcess, over: Promise<boolean>): Promise<boolean> {
  const workers = workersOf(child);
  if (workers.length === 0) return false;
  const traps = workers.map((worker) => join(place, `die-${worker}`));
  for (const trap of traps) writeFileSync(trap, "optim_step");
  let died = false;
  while (!died && !(await Promise.race([over, later(20)]))) {
    const left = workersOf(child);
    died = left.length > 0 && workers.some((worker) => !left.includes(worker));
  }
  for (const trap of traps) rmSync(trap, { force: true });
  return died;
}

function digestsOf(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Object.fromEntries(
    files.map((path) => [
      relative(folder, path),
      createHash("sha256").update(readFileSync(path)).digest("hex"),
    ]),
  );
}

function linesOf(path: string): WorkLine[] {
  if (!existsSync(path)) return [];
  // The last line may have been cut off.
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => (line.endsWith("}") ? [JSON.parse(line) as WorkLine] : []));
}
