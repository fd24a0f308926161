import type { SampledSequence, SampleRequest } from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import { Chooser, checkSampling } from "./choose.ts";
import { normalise } from "./distribution.ts";
import { checkTokens, type Limits } from "./limits.ts";
import { sampleKey, uniformAt } from "./randomness.ts";
import type { Table } from "./table.ts";
import { checkTop, TopTokens, withRoom } from "./top-tokens.ts";

const roomAtFirst = 64;

/** Throws `bad-request`, `token-out-of-range` and `too-long`. */
export function checkRequest(
  { prompt, samples, seed, parameters }: SampleRequest,
  limits: Limits,
  tokenBytes: readonly Uint8Array[] | undefined,
): void {
  checkTokens(prompt, limits);
  checkSampling(parameters);
  checkTop(parameters.topLogprobs, limits.vocabulary);
  if (!(Number.isInteger(samples) && samples >= 1))
    throw engineError("bad-request", `A request for ${samples} samples; it is at least one.`);
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 48))
    throw engineError("bad-request", `The seed ${seed} is no integer from 0 below 2^48.`);
  if ((parameters.stopStrings ?? []).length > 0 && tokenBytes === undefined)
    throw engineError(
      "bad-request",
      "Stop strings need the tokens' bytes, which the model was created without.",
    );
}

/** The samples of a request that was checked. */
export function writeSamples(
  table: Table,
  request: SampleRequest,
  limits: Limits,
  tokenBytes: readonly Uint8Array[] | undefined,
): SampledSequence[] {
  const { prompt, samples, seed, parameters } = request;
  const room = (limits.maxPositions ?? Number.POSITIVE_INFINITY) - prompt.length + 1;
  const most = Math.min(parameters.maxTokens, room);
  const logits = new Float64Array(limits.vocabulary);
  const probabilities = new Float64Array(limits.vocabulary);
  const chooser = new Chooser(limits.vocabulary);
  const stopTokens = new Set(parameters.stopTokens ?? []);
  // Limits are often far above what is written.
  let whole = new Int32Array(prompt.length + Math.min(most, roomAtFirst));
  whole.set(prompt);
  let promptNode = table.index.start;
  for (let position = 0; position < prompt.length; position++)
    promptNode = table.index.node(whole, position, promptNode);
  return Array.from({ length: samples }, (_, sample) => {
    const key = sampleKey(seed, sample);
    let logprobs = new Float32Array(whole.length - prompt.length);
    const top = new TopTokens(parameters.topLogprobs ?? 0, logprobs.length);
    const matched = stopMatcher(parameters.stopStrings ?? [], tokenBytes ?? []);
    let node = promptNode;
    let length = 0;
    let stopped = false;
    while (length < most && !stopped) {
      if (length === logprobs.length) {
        logprobs = withRoom(logprobs, 2 * length);
        if (whole.length < prompt.length + 2 * length) whole = withRoom(whole, prompt.length + 2 * length);
      }
      const position = prompt.length + length - 1;
      if (length > 0) node = table.index.node(whole, position, node);
      table.read(logits, whole, position, node);
      const token = chooser.choose(logits, parameters, uniformAt(key, length));
      const logarithm = normalise(logits, probabilities);
      logprobs[length] = (logits[token] as number) - logarithm;
      top.write(length, logits, logarithm);
      whole[prompt.length + length] = token;
      length += 1;
      stopped = stopTokens.has(token) || matched(token);
    }
    return {
      tokens: whole.slice(prompt.length, prompt.length + length),
      logprobs: logprobs.slice(0, length),
      stopReason: stopped ? "stop" : "length",
      ...top.upTo(length),
    };
  });
}

/** Whether what was written so far holds a stop string, asked token by token. */
function stopMatcher(
  texts: readonly string[],
  tokenBytes: readonly Uint8Array[],
): (token: number) => boolean {
  if (texts.length === 0) return () => false;
  const stops = texts.map((text) => Buffer.from(text));
  const longest = Math.max(...stops.map(({ length }) => length));
  let tail = Buffer.alloc(0);
  return (token) => {
    const written = Buffer.concat([tail, tokenBytes[token] ?? new Uint8Array(0)]);
    tail = written.subarray(Math.max(0, written.length - longest));
    return stops.some((stop) => written.includes(stop));
  };
}
