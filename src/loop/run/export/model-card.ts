import type { Json } from "../../../foundation/base/index.ts";
import type { EventOf, Gain, StoredEvent } from "../../../foundation/contract/index.ts";
import { cutOffWords, percent, signedPoints } from "../../../foundation/statistics/index.ts";
import type { RecordedRun } from "../find-run.ts";
import { auditOf } from "../result.ts";
import { championOf, type SavedWeights, type WhichWeights } from "../weights.ts";
import type { BaseModel } from "./base-model.ts";
import { decisionOn, lineageOf } from "./lineage.ts";

export interface ModelCardOptions extends RecordedRun {
  readonly weights: SavedWeights;
  readonly which: WhichWeights;
  readonly title: string;
  readonly base: BaseModel;
  /** Whether the model was taught conversations. */
  readonly hasTemplate: boolean;
  /** SHA-256 over a checkpoint's files, as they were when it was saved; undefined where it was not kept. */
  readonly digestOf: (checkpoint: string) => string | undefined;
  /** The hash of the certificate that is written beside it; undefined where these weights were not promoted. */
  readonly certificate?: string | undefined;
  /** What its weights are: stored in this type, and adapters by themselves or added to the base where they are any. */
  readonly stored: { readonly type: "float32" | "bfloat16"; readonly adapters?: "merged" | "apart" };
}

/** How the certificate is called in an exported folder. */
export const certificateFile = "certificate.json";

/** The README.md of an exported model: what it is, what was shown on which items, what was not, and how to load it. */
export function modelCard(options: ModelCardOptions): string {
  const { title, base, events } = options;
  const started = events.find(({ event }) => event.type === "run-started")?.event as
    | EventOf<"run-started">
    | undefined;
  const front = [
    "---",
    ...(base.licence === undefined ? [] : [`license: ${base.licence}`]),
    `base_model: ${JSON.stringify(base.name)}`,
    `library_name: ${options.stored.adapters === "apart" ? "peft" : "transformers"}`,
    "pipeline_tag: text-generation",
    "tags:",
    "- whetstone",
    "---",
  ];
  return `${[
    ...front,
    "",
    `# ${title}`,
    "",
    ...introduction(options, started),
    "",
    "## What was shown",
    "",
    ...shown(options),
    "",
    "## What was not shown",
    "",
    ...notShown(options, started),
    "",
    "## How to use it",
    "",
    ...usage(options),
    "",
    "## Where it comes from",
    "",
    ...provenance(options, started),
  ].join("\n")}\n`;
}

function introduction(
  { weights, which, base }: ModelCardOptions,
  started: EventOf<"run-started"> | undefined,
): string[] {
  const { name } = base;
  const task = nameOf(started?.task, "its task");
  const method = nameOf(started?.method, "its method");
  const who =
    weights.round === 0
      ? `The weights that a run of Whetstone began with (${name}), for the task *${task}*.`
      : `${name}, made better at the task *${task}* with ${method} by Whetstone: the ${which === "champion" ? "champion" : "candidate"} of round ${weights.round}.`;
  return [who];
}

function shown(options: ModelCardOptions): string[] {
  const { events, weights } = options;
  const audit = auditOf(events, weights.checkpoint);
  if (audit === undefined) return [`Nothing is claimed: ${reasonOf(options)}.`];
  const { gain, after, before } = audit;
  const cut = cutOffWords(before, after);
  return [
    `Against ${baseName(events)}, on audit items, which nothing was trained on or chosen by: **${signedPoints(gain.mean)} points** (95 % interval ${signedPoints(gain.interval.low)} to ${signedPoints(gain.interval.high)}, ${gain.pairs} pairs of answers).${doubtOf(gain)}`,
    ...(cut === undefined ? [] : ["", `${cut}.`]),
    "",
    "| part of the task | items | before | after |",
    "|---|---|---|---|",
    ...after.strata.map(({ stratum, items, mean, enumerated }) => {
      const old = before.strata.find((other) => other.stratum === stratum);
      return `| ${cell(stratum)}${enumerated ? " (every item there is)" : ""} | ${items} | ${old === undefined ? "–" : percent(old.mean)} | ${percent(mean)} |`;
    }),
  ];
}

function doubtOf({ interval }: Gain): string {
  if (interval.low > 0) return "";
  return interval.high < 0
    ? " They are worse than what they were made from."
    : " The interval holds 0: no gain is shown.";
}

function reasonOf({ events, weights }: ModelCardOptions): string {
  if (weights.round === 0) return "these weights are what gains are measured against";
  if (championOf(events)?.checkpoint === weights.checkpoint)
    return "the champion was not audited against the base yet (that happens when its run ends)";
  const promoted = events.some(
    ({ event }) => event.type === "candidate-promoted" && event.checkpoint === weights.checkpoint,
  );
  return promoted
    ? "the gate promoted these weights over the champion before them, but they were not audited against the base"
    : "the gate did not promote these weights";
}

function notShown({ events }: ModelCardOptions, started: EventOf<"run-started"> | undefined): string[] {
  const rollback = events.some(({ event }) => event.type === "champion-rolled-back");
  return [
    `- Anything outside the task *${nameOf(started?.task, "of the run")}*: other abilities were not measured and may have changed, refusals and safety among them.`,
    "- Other prompts, decoding or languages than those of the task's items.",
    ...(rollback ? ["- A person took the champion back to an earlier round in this run."] : []),
    ...(started?.observe === true ? ["- Decisions were recorded only: the gate promoted nothing."] : []),
    ...(started?.model.from === undefined
      ? []
      : ["- The gain over the original model: the run began with the champion of an earlier run."]),
  ];
}

function usage({ title, hasTemplate, record, stored, base }: ModelCardOptions): string[] {
  const ask = hasTemplate
    ? [
        'messages = [{"role": "user", "content": "…"}]',
        "inputs = tokenizer.apply_chat_template(",
        '    messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)',
      ]
    : ['inputs = tokenizer("…", return_tensors="pt", return_token_type_ids=False)'];
  return [
    "```python",
    ...loading(stored.adapters === "apart", `./${title}`, base.name),
    ...ask,
    "output = model.generate(**inputs, do_sample=False, max_new_tokens=64)",
    'print(tokenizer.decode(output[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True))',
    "```",
    "",
    `It was measured with ${harnessOf(record.description)}. ${storage(stored)}`,
  ];
}

function loading(apart: boolean, folder: string, base: string): string[] {
  const own = JSON.stringify(folder);
  const model = (from: string): string => `model = AutoModelForCausalLM.from_pretrained(${from})`;
  return [
    ...(apart ? ["from peft import PeftModel"] : []),
    "from transformers import AutoModelForCausalLM, AutoTokenizer",
    "",
    `tokenizer = AutoTokenizer.from_pretrained(${own})`,
    ...(apart
      ? [model(JSON.stringify(base)), `model = PeftModel.from_pretrained(model, ${own})`]
      : [model(own)]),
  ];
}

function storage({ type, adapters }: ModelCardOptions["stored"]): string {
  const floats = type === "float32" ? "32-bit floats" : "16-bit floats (bfloat16)";
  if (adapters === "merged")
    return `Low-rank adapters were trained and added to the weights of the base; the sums are stored in ${floats}.`;
  if (adapters === "apart")
    return `These are low-rank adapters (LoRA), stored in ${floats} as they were trained: they need the weights of the base.`;
  return `Weights are stored in ${floats}, as they were trained.`;
}

function provenance(options: ModelCardOptions, started: EventOf<"run-started"> | undefined): string[] {
  const { record, events, weights, base, digestOf } = options;
  const saved = (checkpoint: string): string => {
    const digest = digestOf(checkpoint);
    return `\`${checkpoint}\`${digest === undefined ? "" : ` (sha256 of its files \`${digest}\`)`}`;
  };
  const [own = weights.checkpoint, ...parents] = lineageOf(events, weights.checkpoint);
  const from = started?.model.from;
  return [
    `- run \`${record.id}\`, checkpoint ${saved(own)}, seed ${record.seed}`,
    ...parents.map((parent) => `- trained on from ${saved(parent)}`),
    `- which began with ${base.name}${hashIn(started?.model)}${typeof from === "string" ? `, as \`${from}\` left it` : ""}`,
    dataOf(started),
    ...decided(options),
    `- configuration \`${record.configHash}\``,
    ...(started === undefined
      ? []
      : [`- protocol \`${started.protocolHash}\``, `- Whetstone ${started.version}`]),
  ];
}

/** A task of a file names the file's hash; what a generator draws is decided by its options and the seed. */
function dataOf(started: EventOf<"run-started"> | undefined): string {
  const hash = hashIn(started?.task);
  return hash === ""
    ? "- data: no file; items are drawn by the task, by its options and the seed, which are part of the protocol"
    : `- data: the task's file${hash}`;
}

const hashIn = (part: Readonly<Record<string, unknown>> | undefined): string =>
  typeof part?.sha256 === "string" ? ` (sha256 \`${part.sha256}\`)` : "";

/** The promotion's certificate; else the decision on record, and the seed that it was committed to beforehand. */
function decided({ events, weights, certificate }: ModelCardOptions): string[] {
  const found = decisionOn(events, weights.round);
  if (found === undefined) return ["- certificate: none; these weights were not put before the gate"];
  const { decision, seedHash } = found;
  if (certificate !== undefined)
    return [
      `- certificate: \`${certificateFile}\` beside this page (\`${certificate}\`): \`whetstone certificate check ${certificateFile}\` says claim by claim what of it is verified, recomputed or taken on trust; the gate's reason was: ${decision.decision.reason}`,
    ];
  const seeds =
    seedHash === undefined ? "" : ` Decision seed \`${decision.seed}\`, committed to as \`${seedHash}\`.`;
  return [
    `- certificate: none, only promotions have one; the decision on record is *${decision.decision.decision}*: ${decision.decision.reason}.${seeds}`,
  ];
}

function harnessOf(description: Json): string {
  const { refine } = description as { readonly refine?: Readonly<Record<string, unknown>> };
  return nameOf(refine, "the run's own way to answer");
}

function baseName(events: readonly StoredEvent[]): string {
  const edited = events.some(({ event }) => event.type === "run-started" && event.model.from !== undefined);
  return edited ? "the champion of the run before it" : "the weights that its run began with";
}

function nameOf(part: Readonly<Record<string, unknown>> | undefined, otherwise: string): string {
  return typeof part?.name === "string" ? part.name : otherwise;
}

/** A name from a file of the user's stays one cell of its table. */
function cell(text: string): string {
  return text.replace(/[|\r\n]+/g, " ");
}
