import { z } from "zod";
import { readOptions, userError, valueWith, type WhetstoneError } from "../../../foundation/base/index.ts";
import type { Canary, Item, Response, Verdict, Verifier } from "../../../foundation/contract/index.ts";
import { runCanaries } from "../canaries.ts";
import { verdictOf } from "../verdict.ts";
import { rubbishTexts } from "./answers.ts";
import { shown, type TaskCheck } from "./check.ts";

/** A problem of the kind that a verifier is for, with its reference answer. */
export interface VerifierSample {
  readonly prompt: string;
  readonly answer: string;
}

interface Subject {
  readonly verifier: Verifier;
  readonly items: readonly Item[];
}

type CheckOfVerifier = (subject: Subject) => void | Promise<void>;

const checks = {
  "name, version and description make sense": declares,
  "reference answers can be compared with": answersReadable,
  "it passes the canaries that it gives itself": canariesPass,
  "an answer cut off by the token limit scores nothing": cutOffScoresNothing,
  "any text is scored, always the same way": anyTextScored,
  "many at once are judged as one by one": atOnce,
  "it may be used again after it was closed": closes,
} satisfies Record<string, CheckOfVerifier>;

const verifierSchema = valueWith<Verifier>("verify", "expected a verifier, such as numeric()");
const samplesSchema = z.array(z.looseObject({ prompt: z.string(), answer: z.string() })).readonly();

/**
 * What every verifier promises, as tests for any test runner; `samples` are at least three problems with different answers. Close the
 * verifier afterwards.
 *
 * @example
 * const samples = ["12", "-7", "1,234"].map((answer) => ({ prompt: "How much?", answer }));
 * for (const { name, run } of verifierChecks(numeric(), samples)) {
 *   await run(); // throws where the verifier breaks the promise
 *   console.log(name);
 * }
 */
export function verifierChecks(verifier: Verifier, samples: readonly VerifierSample[]): readonly TaskCheck[] {
  readOptions("verifierChecks()", verifierSchema, verifier);
  readOptions("verifierChecks()", samplesSchema, samples);
  const items = samples.map(itemOfSample);
  return Object.entries(checks).map(([name, check]) => ({
    name,
    run: async () => {
      if (new Set(samples.map(({ answer }) => answer)).size < 3)
        throw broken(verifier, "its checks need at least three samples with different answers");
      await check({ verifier, items });
    },
  }));
}

function itemOfSample({ prompt, answer }: VerifierSample): Item {
  return {
    canonical: prompt,
    prompt,
    answer,
    difficulty: 1,
    stratum: "samples",
    split: "train",
    source: "samples",
  };
}

function broken({ name }: Verifier, what: string): WhetstoneError {
  return userError("verifier-promise-broken", `The verifier "${name}": ${what}.`, { verifier: name });
}

function declares({ verifier }: Subject): void {
  const { name, version, description = {} } = verifier;
  if (name === "") throw broken(verifier, "it has no name");
  if (!Number.isInteger(version) || version < 1)
    throw broken(verifier, `its version is ${version}, not 1 or more`);
  const odd = Object.entries(description).find(
    ([, value]) => !["string", "number", "boolean"].includes(typeof value) || Number.isNaN(value),
  );
  if (odd !== undefined) throw broken(verifier, `its description says ${shown(odd[1])} for ${odd[0]}`);
}

function answersReadable({ verifier, items }: Subject): void {
  for (const item of items) {
    const fault = verifier.faultOf?.(item);
    if (fault !== undefined) throw broken(verifier, `it refuses the answer ${shown(item.answer)}: ${fault}`);
  }
  if (verifier.faultOf !== undefined && verifier.faultOf({ prompt: "" }) === undefined)
    throw broken(verifier, "it finds nothing wrong with an item without an answer");
}

async function canariesPass({ verifier, items }: Subject): Promise<void> {
  const answers = items.flatMap(({ answer }) => answer ?? []);
  for (const item of items) {
    const others = answers.filter((answer) => answer !== item.answer);
    const canaries = verifier.canaries?.(item, others) ?? standIn(item, others);
    await runCanaries({ name: "samples", verifier, canaries: () => canaries });
  }
}

/** For a verifier that gives no canaries: the reference answer, nothing, and another item's answer. */
function standIn(item: Item, others: readonly string[]): Canary[] {
  const canary = (text: string, right: boolean): Canary => ({
    item,
    response: { text, complete: true },
    right,
  });
  return [
    canary(item.answer ?? "", true),
    canary("", false),
    ...others.slice(0, 1).map((text) => canary(text, false)),
  ];
}

async function cutOffScoresNothing({ verifier, items }: Subject): Promise<void> {
  for (const { item, text } of textsFor({ verifier, items })) {
    const { score } = await scored(verifier, item, { text, complete: false });
    if (score > 0)
      throw broken(verifier, `${shown(text)}, cut off by the token limit, is scored ${score}, not 0`);
  }
}

async function anyTextScored({ verifier, items }: Subject): Promise<void> {
  for (const { item, text } of textsFor({ verifier, items })) {
    const response = { text, complete: true };
    const [first, second] = [await scored(verifier, item, response), await scored(verifier, item, response)];
    if (first.score !== second.score)
      throw broken(verifier, `it scores ${shown(text)} ${first.score} and then ${second.score}`);
  }
}

async function atOnce({ verifier, items }: Subject): Promise<void> {
  const asked = textsFor({ verifier, items });
  const judge = ({ item, text }: (typeof asked)[number]): Promise<Scored> =>
    scored(verifier, item, { text, complete: true });
  const together = await Promise.all(asked.map(judge));
  for (const [index, one] of asked.entries()) {
    const { score } = await judge(one);
    if (score !== together[index]?.score)
      throw broken(
        verifier,
        `it scores ${shown(one.text)} ${together[index]?.score} among others and ${score} alone`,
      );
  }
}

async function closes({ verifier, items }: Subject): Promise<void> {
  const [first] = textsFor({ verifier, items });
  await verifier.close?.();
  await verifier.close?.();
  if (first !== undefined) await scored(verifier, first.item, { text: first.text, complete: true });
}

/** Rubbish, and what is near the answer. */
function textsFor({ items }: Subject): { readonly item: Item; readonly text: string }[] {
  return items.slice(0, 3).flatMap((item) => {
    const { prompt, answer = "" } = item;
    const near = [answer, `${answer}${answer}`, ` ${answer}\n`, prompt, `${prompt}${answer}`];
    return [...near, ...rubbishTexts].map((text) => ({ item, text }));
  });
}

type Scored = Extract<Verdict, { outcome: "scored" }>;

async function scored(verifier: Verifier, item: Item, response: Response): Promise<Scored> {
  const verdict = await verdictOf({ verifier }, item, response);
  if (verdict.outcome === "scored") return verdict;
  throw broken(
    verifier,
    `it gives ${shown(response.text)}, in answer to ${shown(item.prompt)}, no score: ${verdict.reason}`,
  );
}
