import type { Trace, TracedWeights } from "../../loop/run.ts";
import { cleanText } from "./terminal/display-width.ts";
import { compact, percent, plural, whole } from "./words.ts";

type CheckpointTrace = Extract<Trace, { kind: "checkpoint" }>;
type ExampleTrace = Extract<Trace, { kind: "example" }>;
type Matches = Extract<Trace, { kind: "matches" }>;
type Training = NonNullable<TracedWeights["training"]>;
type Source = Training["sources"][number];
type Origin = Omit<Source, "examples" | "times" | "tokens" | "samples">;

/** Digits of an example's id that are shown: as many as nobody mistakes. */
const idLength = 12;

/** Characters of a text that stand in a line. */
const textLength = 48;

/** Where something came from, as a tree in plain lines: the newest first, the roots last. */
export function traceWords(trace: Trace): string[] {
  const lines =
    trace.kind === "checkpoint"
      ? checkpointWords(trace)
      : trace.kind === "example"
        ? exampleWords(trace)
        : matchWords(trace);
  return [...lines, ...unreadableWords(trace.unreadable)];
}

function checkpointWords({ checkpoint, tokens, realShare, weights, rounds }: CheckpointTrace): string[] {
  return [
    `${checkpoint}: trained on ${plural(tokens, "token")}, ${shareWords(realShare)}`,
    "",
    ...treeOf(weights, checkpoint),
    ...roundWords(rounds),
  ];
}

function exampleWords({ id, prompt, answer, tokens, origins, weights, rounds }: ExampleTrace): string[] {
  return [
    `${id}: an example of ${plural(tokens, "trained token")}`,
    `  ${text(prompt, 400)} → ${text(answer, 400)}`,
    "",
    ...origins.flatMap((origin) => [
      ...whereFrom(origin),
      ...origin.trainedInto.map(
        ({ round, role, times, checkpoint }, place) =>
          `${branch(place, origin.trainedInto.length)} learnt from ${times === 1 ? "once" : `${whole(times)} times`} in round ${round} by ${role}: ${checkpoint}`,
      ),
      "",
    ]),
    ...(weights.length === 0 ? [] : treeOf(weights, weights[0]?.checkpoint ?? "")),
    ...roundWords(rounds),
  ];
}

function matchWords({ of, total, matches }: Matches): string[] {
  const more = total > matches.length ? `, of which these are the first ${matches.length}` : "";
  return [
    `${text(of)} fits ${plural(total, "example")}${more}. Trace one by its id:`,
    ...matches.map(
      ({ id, prompt, answer, as, real }) =>
        `  ${id.slice(0, idLength)}  ${text(prompt)} → ${text(answer)}  (its ${as}; written by ${real ? "no model" : "a model"})`,
    ),
  ];
}

/** Where one example came from, down to who wrote it. */
function whereFrom(origin: ExampleTrace["origins"][number]): string[] {
  const { kind, items, line, document, writer, sample, stepsAfter, kept, rollouts, place } = origin;
  const item = line === null ? itemsWords(items) : `${cleanText(items.name)}, line ${line}`;
  if (kind === "demonstrations")
    return [
      origin.real
        ? `written by no model: ${item}`
        : `answer written by no model, to a prompt that a model made: ${item}`,
    ];
  const after = stepsAfter ? `, ${plural(stepsAfter, "step")} on` : "";
  return [
    `answer written by ${writer?.checkpoint ?? "weights that no record names"}${after} (${writer?.role}, sample ${sample})`,
    `├─ prompt: ${items.kind === "model" ? `made by a model, ${cleanText(items.name)}` : item}`,
    ...(document === null ? [] : [`├─ ${documentWords(document)}`]),
    ...(kept === null ? [] : [`├─ ${keptWords(kept)}`]),
    ...(rollouts === null || place === null
      ? []
      : [`├─ rollout ${place.rollout} of line ${place.group + 1} in artifacts/${rollouts}.jsonl`]),
  ];
}

function documentWords({
  sha256,
  from,
  to,
  file,
  line,
}: NonNullable<ExampleTrace["origins"][number]["document"]>): string {
  const where = file === null ? "" : ` of ${cleanText(file)}, line ${line}`;
  return `document: characters ${from} to ${to}${where}, SHA-256 ${sha256}`;
}

/** Weights as blocks, each with what it learnt from; a block of weights that it was trained on from follows it. */
function treeOf(weights: readonly TracedWeights[], first: string): string[] {
  const byName = new Map(weights.map((one) => [one.checkpoint, one]));
  const told = new Set<string>();
  const line = (start: string): string[] => {
    const lines: string[] = [];
    let at = byName.get(start);
    while (at !== undefined && !told.has(at.checkpoint)) {
      told.add(at.checkpoint);
      lines.push(...blockOf(at));
      at = at.from === null ? undefined : byName.get(at.from);
    }
    if (at !== undefined) lines.push(`${nameOf(at)}: told above`);
    return [...lines, ""];
  };
  const main = line(first);
  const others = weights.flatMap(({ checkpoint }) =>
    told.has(checkpoint) ? [] : ["Other weights that wrote answers:", ...line(checkpoint)],
  );
  return [...main, ...others];
}

function blockOf(weights: TracedWeights): string[] {
  const { training, checkpoint } = weights;
  if (training === null) return [rootWords(weights)];
  const { method, reward, tokens, realTokens, sources, steps } = training;
  const by =
    training.stage === "prepare" ? "preparation" : `${method}${reward === null ? "" : `, ${reward}`}`;
  const share = tokens === 0 ? "nothing to learn from" : shareWords(realTokens / tokens);
  return [
    `${nameOf(weights)} · ${by} · ${whole(steps[1] - steps[0])} steps · ${plural(tokens, "token")}, ${share} · ${checkpoint}`,
    ...sources.flatMap(sourceWords),
    "│",
  ];
}

function sourceWords(source: Source): string[] {
  const { kind, items, tokens, examples, writer, kept, samples } = source;
  const who =
    kind === "demonstrations"
      ? `${plural(examples, "demonstration")} · ${itemsWords(items)}`
      : `${plural(examples, "answer")} by ${writer?.checkpoint ?? "weights that no record names"}, to prompts of ${itemsWords(items)}`;
  return [
    `├─ ${compact(tokens)} tokens · ${who}${source.real ? "" : " · written by a model"}`,
    ...(kept === null ? [] : [`│    ${keptWords(kept)}`]),
    ...samples
      .slice(0, 2)
      .map(({ id, prompt, answer }) => `│    ${id.slice(0, idLength)}  ${text(prompt)} → ${text(answer)}`),
  ];
}

function keptWords({ method, reward, verifier }: NonNullable<Origin["kept"]>): string {
  const chosen = reward === null ? "" : `, chosen by ${reward}`;
  return `${method}${chosen}; verifier ${verifier.name}@${verifier.version} (${verifier.hash.slice(0, idLength)})`;
}

function itemsWords({ kind, name }: Origin["items"]): string {
  const clean = cleanText(name);
  if (kind === "generator") return `the task’s generator ${clean}`;
  if (kind === "document") return `documents of ${clean}`;
  return kind === "file" ? `the file ${clean}` : clean;
}

function rootWords({ checkpoint, run, role, model }: TracedWeights): string {
  if (run === null) return `root · ${checkpoint} · no lineage was kept of it`;
  const from = model?.from === undefined ? "" : `, ${String(model.from)}`;
  const name = typeof model?.name === "string" ? model.name : "the model";
  return `root · ${cleanText(name)}${from}, as ${role} began in ${run} · ${checkpoint}`;
}

function nameOf({ round, role, run, training }: TracedWeights): string {
  if (training === null) return "root";
  return `round ${round} of ${run}, ${role}`;
}

function roundWords(rounds: CheckpointTrace["rounds"]): string[] {
  if (rounds.length === 0) return [];
  return [
    "Real share by round: trained tokens that no model wrote, of all roles",
    ...rounds.map(
      ({ run, round, tokens, realShare }) =>
        `  ${run} round ${round}  ${realShare === null ? "–" : percent(realShare)} of ${plural(tokens, "token")}`,
    ),
  ];
}

function unreadableWords(unreadable: readonly string[]): string[] {
  return unreadable.length === 0
    ? []
    : [
        "",
        `${plural(unreadable.length, "record")} cannot be read, so that what they say is missing:`,
        ...unreadable.map((one) => `  ${one}`),
      ];
}

function shareWords(share: number | null): string {
  return share === null ? "none that is recorded" : `${percent(share)} of them written by no model`;
}

function branch(place: number, length: number): string {
  return place === length - 1 ? "└─" : "├─";
}

function text(given: string, most = textLength): string {
  const clean = cleanText(given.replace(/\s+/gu, " "));
  return JSON.stringify(clean.length > most ? `${clean.slice(0, most - 1)}…` : clean);
}
