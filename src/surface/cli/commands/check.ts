import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { userError } from "../../../foundation/base/index.ts";
import type { Engine, EngineCapabilities } from "../../../foundation/contract/index.ts";
import {
  type CheckResult,
  type ConformanceSubject,
  checkEngine,
  folderSubject,
  servedSubject,
} from "../../../model/engine/conformance/index.ts";
import {
  adapterRank,
  checkNeeds,
  type EngineDefinition,
  type EngineProgress,
  tiny,
} from "../../../model/engine/index.ts";
import {
  installEngine,
  installedPlainPackages,
  local,
  TransformersReference,
} from "../../../model/engine/local/index.ts";
import { tabular } from "../../../model/engine/tabular/index.ts";
import { triedServer } from "../../../model/engine/tinker/index.ts";
import { answer } from "../answer.ts";
import { checkedEngine, notDeterministic, precisions } from "../checked-engine.ts";
import { chosen } from "../chosen.ts";
import type { CliContext } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { interruptible } from "../interruption.ts";
import { type Bringing, modelFolder, nameAndFolder } from "../named-folder.ts";
import type { JsonFlags } from "../route-parts.ts";

export interface CheckFlags extends JsonFlags {
  readonly model?: string;
  readonly key?: string;
  readonly precision?: string;
  readonly lora?: number;
  readonly deterministic?: boolean;
  readonly fast?: boolean;
}

/** What is checked, and how it is opened: first its model is brought, which may be refused before anything starts. */
interface Checkable {
  readonly definition: EngineDefinition;
  readonly bring: (
    bringing: Bringing,
    folder: string,
    /** What is given back when all is checked. */
    held: AsyncDisposableStack,
  ) => Promise<(engine: Engine) => Promise<ConformanceSubject>>;
}

/** Runs the conformance kit; exit code 4 where a check fails. */
export async function checkCommand(this: CliContext, flags: CheckFlags, which: string): Promise<void> {
  const { output } = this;
  await answer(this, flags.json, async () => {
    const isServer = /^https?:\/\//.test(which);
    const { definition, bring } = isServer ? serverAt(which, flags) : engineCalled(which, flags);
    await using workplace = await temporaryFolder();
    using interruption = interruptible({
      say: output.note,
      words: "Ending before the next check. Ctrl-C again ends at once.",
      goesOn: false,
    });
    const { signal } = interruption;
    const onProgress: EngineProgress = (label, done, total) => output.passing(`[${done}/${total}] ${label}`);
    await using held = new AsyncDisposableStack();
    const subjectOf = await bring({ onProgress, signal }, workplace.path, held);
    await using engine = await definition.open({ logFolder: workplace.path, onProgress, signal });
    const subject = await subjectOf(engine);
    const capabilities = await subject.engine.capabilities();
    if (flags.deterministic === true)
      checkNeeds(
        { name: definition.name, abilities: capabilities },
        { deterministic: definition.abilities?.deterministic ?? [] },
      );
    if (flags.json !== true) output.line(headOf(capabilities, subject));
    const results = await checkEngine(subject, {
      fast: flags.fast === true,
      signal,
      onResult: (result, done, total) => {
        if (flags.json === true) return;
        for (const line of linesOf(result)) output.line(line);
        if (done < total) output.passing(`${done} of ${total} checks`);
      },
    });
    const counts = countsOf(results);
    if (flags.json === true) output.json(reportOf({ capabilities, subject, results, model: flags.model }));
    else output.line(closingOf(counts));
    return counts.failed === 0 ? exitCodes.done : exitCodes.engine;
  });
}

/** Throws user errors `invalid-option` and `engine-lacks`. */
function engineCalled(
  which: string,
  { model, precision: asked, lora, key, deterministic }: CheckFlags,
): Checkable {
  if (key !== undefined)
    throw userError("invalid-option", "--key is for a server: give its address, http://…, as ENGINE.");
  const definition = checkedEngine(which, deterministic);
  const precision = chosen("--precision", asked ?? "fp32", precisions());
  const { name, abilities } = definition;
  if (abilities !== undefined)
    checkNeeds({ name, abilities }, { precision, loraRank: lora ?? 0 }, [local(), tabular()]);
  return {
    definition,
    bring: async (bringing, folder, held) => {
      const path = await (model === undefined
        ? smallModel(folder, bringing)
        : modelFolder(model, folder, bringing));
      const own = adapterRank(path);
      if (own !== undefined && lora !== undefined)
        throw userError(
          "invalid-option",
          `--lora: ${model} holds adapters of rank ${own} already, and those are checked: leave --lora out.`,
        );
      const another = (): Promise<Engine> => definition.open({ logFolder: folder });
      const adapters = lora === undefined ? {} : { lora: { rank: lora } };
      const compared = which === "local" ? { reference: await referenceOf(bringing, held) } : {};
      return (engine) => folderSubject(engine, path, { precision, another, ...adapters, ...compared });
    },
  };
}

/** A server of the Tinker API, tried as it is. Throws a user error `invalid-option`. */
function serverAt(baseUrl: string, flags: CheckFlags): Checkable {
  const { model, precision: asked, lora, key: apiKey, deterministic } = flags;
  if (deterministic === true) throw notDeterministic();
  if (model === undefined || model === "")
    throw userError(
      "invalid-option",
      "--model is missing: --model NAME says which of the server's models is checked.",
    );
  const [name, folder] = nameAndFolder(model);
  const precision = asked === undefined ? undefined : chosen("--precision", asked, precisions());
  return {
    definition: triedServer({
      baseUrl,
      model: name,
      probe: false,
      ...(apiKey === undefined ? {} : { apiKey }),
    }),
    bring: async () => async (engine) =>
      await servedSubject(engine, name, {
        // A server of ours computes in one precision only, and says which.
        precision: precision ?? (await engine.capabilities()).precisions[0] ?? "fp32",
        ...(folder === undefined ? {} : { folder }),
        ...(lora === undefined ? {} : { lora: { rank: lora } }),
      }),
  };
}

/** Beside the local engine transformers itself, where it is installed. */
async function referenceOf(bringing: Bringing, held: AsyncDisposableStack): Promise<Compared> {
  const { python, folder } = await installEngine(bringing);
  const packages = await installedPlainPackages({ folder });
  return packages === undefined
    ? {
        missing:
          "transformers is not installed; `whetstone engine install --transformers` installs it beside the engine",
      }
    : held.use(new TransformersReference({ python, packages, environment: process.env }));
}

type Compared = NonNullable<ConformanceSubject["reference"]>;

/** A model that is drawn from a seed, of eleven characters. */
async function smallModel(folder: string, bringing: Bringing): Promise<string> {
  const small = tiny({ layers: 2, width: 32, heads: 4, keyValueHeads: 2, positions: "rotary" });
  const needs = { characters: "0123456789=", projectFolder: folder, ...bringing };
  return (await small.prepare(folder, needs)).path;
}

function headOf({ engine, device }: EngineCapabilities, { precision, lora }: ConformanceSubject): string {
  const adapters = lora === undefined ? "" : `, adapters of rank ${lora.rank}`;
  return `${engine} on ${device}, ${precision}${adapters}\n\nverdict  measured  tolerance  check`;
}

const verdicts = { passed: "ok", failed: "FAILED", "not-applicable": "–" } as const;

function linesOf({ outcome, worst, name, reason = "" }: CheckResult): string[] {
  const [measured, tolerance] =
    worst === undefined ? ["–", "–"] : [worst.measured, worst.tolerance].map(brief);
  const row = `${verdicts[outcome].padEnd(7)}  ${measured?.padStart(8)}  ${tolerance?.padStart(9)}  ${name}`;
  if (outcome === "passed") return [row];
  return outcome === "failed" ? [row, `${" ".repeat(30)}${reason}`] : [`${row}: ${reason}`];
}

function brief(value: number): string {
  if (value === 0) return "0";
  return value >= 0.01 && value < 1000 ? String(Number(value.toPrecision(2))) : value.toExponential(1);
}

function countsOf(results: readonly CheckResult[]) {
  const count = (outcome: CheckResult["outcome"]): number =>
    results.filter((result) => result.outcome === outcome).length;
  return { passed: count("passed"), failed: count("failed"), notApplicable: count("not-applicable") };
}

function closingOf({ passed, failed, notApplicable }: ReturnType<typeof countsOf>): string {
  const rest = notApplicable === 0 ? "" : `, and ${notApplicable} are about what it does not claim`;
  const all = passed + failed;
  return failed === 0 ? `\nAll ${all} checks passed${rest}.` : `\n${failed} of ${all} checks failed${rest}.`;
}

interface Checked {
  readonly capabilities: EngineCapabilities;
  readonly subject: ConformanceSubject;
  readonly results: readonly CheckResult[];
  readonly model: string | undefined;
}

function reportOf({ capabilities, subject, results, model }: Checked) {
  const { precision, lora } = subject;
  return {
    conforms: results.every(({ outcome }) => outcome !== "failed"),
    ...countsOf(results),
    model: model ?? null,
    precision,
    lora: lora?.rank ?? null,
    capabilities,
    checks: results,
  };
}

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "whetstone-check-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
