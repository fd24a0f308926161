import { messageOf, userError } from "../../../../foundation/base/index.ts";
import type { Engine, Loss } from "../../../../foundation/contract/index.ts";
import { Bench, linesOfSubject } from "../../conformance/bench.ts";
import {
  type ConformanceCheck,
  type ConformanceSubject,
  conformanceChecks,
} from "../../conformance/index.ts";
import { withoutNorm } from "../../conformance/served-subject.ts";
import type { Findings } from "./findings.ts";
import { probeBetas, probeClipping, probeDecay, probeFreshOptimizer } from "./optimizer-probe.ts";
import { probeFilter } from "./sampling-probe.ts";
import { probeLoss, probeWeights } from "./weights-probe.ts";

/** Faults that cost a server its signed weights, and no more: what is left is plain imitation. */
const aboutWeights: ReadonlySet<string> = new Set([
  "a loss is a sum over positions",
  "a negative weight pushes its token down",
  "a weight of zero does not count",
  "a datum has in a batch what it has alone",
  "accumulation equals one batch",
]);
/** Faults of named losses, which are tried one by one. */
const aboutLosses: ReadonlySet<string> = new Set([
  "a named loss is cross_entropy weighed by its derivatives",
  "ppo clips what has gone far enough, and only that",
]);
const aboutSamplers = "a sampler keeps its weights while the model learns";
/** The client sees to it, whatever the server does; and how many tokens a server's model has need not be known. */
const notTheServers: ReadonlySet<string> = new Set(["tokens outside the vocabulary are refused"]);

/** Ids that every vocabulary has. */
const fewTokens = 32;
const rank = 8;

/**
 * The fast part of the kit, and each of the losses, on a server that says little of itself. Where its samplers learn with their
 * model, that is found first, and all else with samplers that have models of their own. Throws a user error
 * `server-unreliable` where nothing could be relied on, and what creating a model throws.
 */
export async function probeServer(
  open: (assumed: Pick<Findings, "keepsSamplers">) => Engine,
  model: string,
  signal?: AbortSignal,
): Promise<Findings> {
  const keepsSamplers = await keepsSamplersOf(open, model);
  await using engine = open({ keepsSamplers });
  const subject = await subjectOf(engine, model);
  const tellsGradientNorm = await tellsNorm(subject);
  const told = tellsGradientNorm ? subject : { ...subject, engine: withoutNorm(engine) };
  const faults: Findings["faults"][number][] = [];
  for (const { name, fast, run } of conformanceChecks()) {
    if (!fast || notTheServers.has(name) || (keepsSamplers && name === aboutSamplers)) continue;
    signal?.throwIfAborted();
    await run(told).catch((error: unknown) => faults.push({ check: name, reason: messageOf(error) }));
  }
  const grave = faults.filter(({ check }) => !aboutWeights.has(check) && !aboutLosses.has(check));
  if (grave.length > 0)
    throw userError(
      "server-unreliable",
      `The Tinker server fails ${grave.length} of the checks without which no run makes sense: ${grave
        .map(({ check, reason }) => `"${check}" (${reason})`)
        .join("; ")} \`whetstone engine check\` shows all; tinker({ probe: false }) goes without.`,
    );
  const capabilities = await told.engine.capabilities();
  const lines = await linesOfSubject(told, capabilities);
  const tried = async (what: string, probe: (bench: Bench) => Promise<void>): Promise<boolean> => {
    signal?.throwIfAborted();
    await using bench = new Bench(told, capabilities, 1, lines);
    try {
      await probe(bench);
      return true;
    } catch (error) {
      faults.push({ check: what, reason: messageOf(error) });
      return false;
    }
  };
  const weights = await tried("weights count with their size and sign", probeWeights);
  const signedWeights = weights && !faults.some(({ check }) => aboutWeights.has(check));
  const losses: Loss["name"][] = ["cross_entropy"];
  const { losses: stated } = await engine.capabilities();
  // A loss is compared with weights: where those are wrong, none can be told from a wrong one.
  for (const name of signedWeights ? stated : [])
    if (name !== "cross_entropy" && (await tried(name, (bench) => probeLoss(bench, { name }))))
      losses.push(name);
  const gradientClipping = await tried(
    "a step's gradient is clipped to the norm that it says",
    probeClipping,
  );
  const weightDecay = await tried("a step shrinks the weights as far as it says", probeDecay);
  const betas = signedWeights ? await tried("a step remembers gradients as its betas say", probeBetas) : null;
  const only = "leaves the likeliest token alone";
  const topK = await tried(`a top_k of 1 ${only}`, (bench) => probeFilter(bench, { topK: 1 }));
  const topP = await tried(`a top_p next to 0 ${only}`, (bench) => probeFilter(bench, { topP: 1e-6 }));
  const freshOptimizer = await tried(
    "a checkpoint is loaded without the moments of its optimiser",
    probeFreshOptimizer,
  );
  return {
    format: 5,
    signedWeights,
    losses,
    tellsGradientNorm,
    gradientClipping,
    weightDecay,
    betas,
    topK,
    topP,
    keepsSamplers,
    freshOptimizer,
    faults,
  };
}

/** Whether what is sampled from keeps its weights as the server makes it. */
async function keepsSamplersOf(
  open: (assumed: Pick<Findings, "keepsSamplers">) => Engine,
  model: string,
): Promise<boolean> {
  const check = conformanceChecks().find(({ name }) => name === aboutSamplers) as ConformanceCheck;
  await using engine = open({ keepsSamplers: true });
  const subject = await subjectOf(engine, model);
  return await check.run(subject).then(
    () => true,
    () => false,
  );
}

/** All weights are trained, or adapters where the server takes nothing else. */
async function subjectOf(engine: Engine, modelFolder: string): Promise<ConformanceSubject> {
  const tokens = Array.from({ length: fewTokens }, (_, id) => id);
  const subject = {
    engine,
    modelFolder,
    vocabularySize: fewTokens,
    tokens,
    trained: true,
    remote: true,
  };
  const source = { kind: "folder", path: modelFolder } as const;
  try {
    await using _ = await engine.createModel({ source });
    return subject;
  } catch {
    await using _ = await engine.createModel({ source, lora: { rank } });
    return { ...subject, lora: { rank } };
  }
}

async function tellsNorm(subject: ConformanceSubject): Promise<boolean> {
  await using bench = new Bench(subject, await subject.engine.capabilities());
  return !Number.isNaN(await bench.gradientNorm(await bench.model()));
}
