import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { nearest, userError, valueWith } from "../../../foundation/base/index.ts";
import type { Harness } from "../../../foundation/contract/index.ts";
import { ledgerFolder } from "../../../foundation/ledger/index.ts";
import { whichWeights } from "../arguments.ts";
import { type RecordedRun, readRun } from "../find-run.ts";
import {
  askedBeside,
  readWhich,
  type WhichWeights,
  weightsOf,
  wholeCheckpoint,
  wholeFolder,
} from "../weights.ts";

/** One of the two that are compared: weights, and how they answer (the run's own way if left out). */
export type Contender = {
  readonly harness?: Harness;
} & (
  | {
      readonly of: WhichWeights;
      /** Another project folder. */
      readonly folder?: string;
      /** Another run than the definition's own, by its name; in another folder the last one if left out. */
      readonly run?: string;
    }
  /** A checkpoint, or any Hugging Face folder. */
  | { readonly path: string }
);

const harness = valueWith<Harness>("answer", "expected something like greedyDecoding()").optional();

/** A {@link Contender} as a program gives it. */
export const contenderSchema = z.union([
  z.strictObject({
    of: whichWeights,
    folder: z.string().min(1).optional(),
    run: z.string().min(1).optional(),
    harness,
  }),
  z.strictObject({ path: z.string().min(1), harness }),
]);

/** Where a contender's weights lie. */
export interface FoundContender {
  readonly path: string;
  /** What `save` wrote, or a folder of other origin. */
  readonly kind: "checkpoint" | "folder";
  /** As its ledger names it, or its path. */
  readonly checkpoint: string;
  /** Checkpoints of the roles that are asked beside it, by role, and the project folder where they lie. */
  readonly asked: { readonly folder: string; readonly checkpoints: Readonly<Record<string, string>> };
  /** Null for a folder that no run is known to have made. */
  readonly run: string | null;
  readonly round: number | null;
  /** It is of the definition's own run, and speaks with its tokenizer. */
  readonly own: boolean;
}

/** Throws user errors `no-run`, `no-weights`, `checkpoint-damaged` and `model-missing`. */
export async function findContender(
  contender: Contender,
  folder: string,
  own: () => RecordedRun,
): Promise<FoundContender> {
  if ("path" in contender) {
    const path = resolve(folder, contender.path);
    if (!existsSync(join(path, "config.json")))
      throw userError("model-missing", `${path} is not a model's folder: it has no config.json.`, { path });
    const kind = existsSync(join(path, "whetstone.json")) ? "checkpoint" : "folder";
    return {
      path: await wholeFolder(path),
      kind,
      checkpoint: path,
      asked: { folder, checkpoints: {} },
      run: null,
      round: null,
      own: false,
    };
  }
  const elsewhere = contender.folder === undefined ? undefined : resolve(folder, contender.folder);
  const mine = elsewhere === undefined && contender.run === undefined;
  const { record, events } = mine ? own() : readRun(elsewhere ?? folder, contender.run);
  const weights = weightsOf(events, contender.of);
  const { checkpoint, round } = weights;
  const path = await wholeCheckpoint(elsewhere ?? folder, checkpoint);
  const asked = { folder: elsewhere ?? folder, checkpoints: askedBeside(events, weights) };
  return { path, kind: "checkpoint", checkpoint, asked, run: record.id, round, own: mine };
}

/**
 * Who is meant by a word: `champion`, `base`, `candidate` or `round-3` of the own run; `PROJECT#champion` of another folder, or
 * of another run by its name; a checkpoint's or a project's folder. Paths are relative to `from`, and absolute in what is
 * returned. Throws a user error `unknown-contender`.
 */
export function readContender(text: string, from: string): Contender {
  const which = readWhich(text);
  if (which !== undefined) return { of: which };
  const [where = "", word = "champion", ...rest] = text.split("#");
  const path = resolve(from, where);
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  if (!text.includes("#") && isFolder && existsSync(join(path, "config.json"))) return { path };
  const of = readWhich(word);
  if (of !== undefined && rest.length === 0 && where !== "") {
    if (isFolder && existsSync(ledgerFolder(path))) return { folder: path, of };
    if (text.includes("#") && !isFolder && !where.includes("/")) return { run: where, of };
  }
  const words = ["champion", "base", "candidate", "round-1"];
  const meant = text.includes("/") ? undefined : nearest(text, words);
  const hint =
    meant === undefined
      ? "give champion, base, candidate, round-3, PROJECT#champion, or a checkpoint's folder."
      : `did you mean ${meant}?`;
  throw userError("unknown-contender", `There are no weights "${text}"; ${hint}`, { contender: text });
}
