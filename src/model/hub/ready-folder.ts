import { userError, type WhetstoneError } from "../../foundation/base/index.ts";
import { adapterRank, type ModelNeeds, maxPositionsOf, type PreparedModel } from "../engine/index.ts";
import { loadTokenizer } from "../text/index.ts";
import { checkFolder } from "./check-folder.ts";

/**
 * What a run needs to know of a model's folder, checked against what its task needs. `given` is how the person named it. Throws
 * what {@link checkFolder} and {@link loadTokenizer} throw, `text-not-in-vocabulary`, and `no-chat-template` where the task's items
 * are conversations and the model was taught none.
 */
export async function readyFolder(
  folder: string,
  given: string,
  { characters, conversations = false }: ModelNeeds,
): Promise<PreparedModel> {
  const { hasWeights, config } = await checkFolder(folder, given);
  const rank = adapterRank(folder);
  const maxPositions = maxPositionsOf(config);
  const tokenizer = await loadTokenizer(folder);
  tokenizer.encode(characters);
  if (conversations && tokenizer.chat === undefined) throw noChatTemplate(folder);
  return {
    tokenizer,
    path: folder,
    fromScratch: !hasWeights,
    ...(rank === undefined ? {} : { adapters: { rank } }),
    ...(maxPositions === undefined ? {} : { maxPositions }),
  };
}

function noChatTemplate(folder: string): WhetstoneError {
  return userError(
    "no-chat-template",
    `The task's items are conversations, and ${folder} has no chat template that says how the model reads them: take its ` +
      "instruction-tuned sibling, put the chat_template.jinja that was published with it into the folder, or give items as " +
      "prompt and answer, which need none.",
    { path: folder },
  );
}
