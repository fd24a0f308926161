import { userError } from "../../../foundation/base/index.ts";
import type { EngineExtension, Sampler, TokenIds } from "../../../foundation/contract/index.ts";
import {
  passFingerprint,
  readFeatures,
  readReading,
  tokensOfChunks,
  type WireArrays,
  type WireReading,
  writeArrays,
} from "../tinker/index.ts";
import { type Handler, tooLarge } from "./call.ts";
import { protobufReply, refusal } from "./reply.ts";
import { beginDraw } from "./sampler-handlers.ts";
import { sessionOf } from "./sessions.ts";
import type { ServerState } from "./state.ts";
import { dataOf, isProtobuf, noProtobuf, submitProtobuf } from "./training-handlers.ts";

// What engines have beyond the API, under a prefix of our own: requests in protobuf, futures for their results, and those in the
// API's own form of arrays. They end with the session that asked for them.

const mostSequences = 4096;
/** Numbers of one answer: 64 MB of them. */
const mostNumbers = 2 ** 24;

/** Reads sequences with a sampler, and answers with arrays. */
type Read = (
  sampler: Sampler,
  sequences: readonly TokenIds[],
  reading: WireReading,
  signal: AbortSignal,
) => Promise<WireArrays> | undefined;

const reading =
  (name: string, extension: EngineExtension, poolings: readonly string[], read: Read): Handler =>
  (state, call) => {
    if (!isProtobuf(call.contentType)) return noProtobuf(name);
    if (call.cutOff) throw tooLarge();
    const asked = readReading(call.body);
    const { samplerId, sequence } = asked;
    if (!(sequence >= 0))
      return refusal(userError("invalid-option", `${name}: there is no draw ${sequence}.`));
    return beginDraw(state, call, {
      samplerId,
      sequence,
      kind: name,
      work: ({ held }) => {
        checkReading(name, asked, poolings);
        const sequences = asked.sequences.map((chunks, index) => tokensOfChunks(chunks, `sequence ${index}`));
        const signal = state.sessions.whileHere(sessionOf(samplerId));
        return held().draw(async (sampler) =>
          writeArrays(
            (await (has(state, extension) ? read(sampler, sequences, asked, signal) : undefined)) ??
              lacking(state, extension),
          ),
        );
      },
    });
  };

/** [D] a sequence, over all positions (`mean`) or at the last one (`last`). */
export const embed = reading("embed", "embeddings", ["mean", "last"], (sampler, sequences, asked, signal) =>
  sampler
    .embed?.(sequences, { pooling: asked.pooling as "mean" | "last", signal })
    .then((embeddings) => ({ embeddings })),
);

/** Entropy and self-certainty of each token, in nats; the first is NaN. */
export const certainty = reading("certainty", "certainty", [""], (sampler, sequences, _, signal) =>
  sampler.certainty?.(sequences, { signal }).then((told) => ({
    entropy: told.map(({ entropy }) => entropy),
    self_certainty: told.map(({ selfCertainty }) => selfCertainty),
  })),
);

/** Of each example its own gradient, projected; a call on the model like any other, which changes nothing. */
export const gradientFeatures: Handler = (state, call) =>
  submitProtobuf(state, call, "gradient_features", (body) => {
    const { pass, dimensions, seed } = readFeatures(body);
    return {
      pass,
      fingerprint: `gradient_features ${dimensions} ${seed} ${passFingerprint(pass)}`,
      work: async (engineModel, { sessionId }) => {
        const { data, loss } = dataOf(pass);
        if (data.length * dimensions > mostNumbers)
          throw userError(
            "invalid-option",
            `${data.length} examples of ${dimensions} features are more than the ${mostNumbers} numbers of one answer: ask in several.`,
          );
        const signal = state.sessions.whileHere(sessionId);
        const options = { loss, dimensions, seed, signal };
        const features = has(state, "gradient-features")
          ? await engineModel.gradientFeatures?.(data, options)
          : undefined;
        return protobufReply(
          writeArrays(features === undefined ? lacking(state, "gradient-features") : { features }),
        );
      },
    };
  });

/** Throws a user error `invalid-option`. */
function checkReading(name: string, { sequences, pooling }: WireReading, poolings: readonly string[]): void {
  if (sequences.length === 0 || sequences.length > mostSequences)
    throw userError(
      "invalid-option",
      `${name}: a request has from 1 to ${mostSequences} sequences, not ${sequences.length}.`,
    );
  if (!poolings.includes(pooling))
    throw userError(
      "invalid-option",
      poolings.includes("")
        ? `${name} takes no pooling.`
        : `${name}: the pooling is ${poolings.join(" or ")}, not "${pooling.slice(0, 40)}".`,
    );
}

const has = ({ capabilities }: ServerState, extension: EngineExtension): boolean =>
  capabilities.extensions.includes(extension);

function lacking({ capabilities }: ServerState, extension: EngineExtension): never {
  throw userError(
    "unsupported",
    `The engine of this server (${capabilities.engine}) has no extension "${extension}".`,
  );
}
