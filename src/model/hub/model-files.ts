import { basename } from "node:path";

const ofTokenizers = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "tokenizer.model",
  "chat_template.jinja",
];
/** Which of several files each tensor lies in. */
export const indexFile = "model.safetensors.index.json";
const small = ["config.json", "generation_config.json", ...ofTokenizers, indexFile, "LICENSE", "LICENSE.txt"];

/** Whether a file of a model's folder is needed to run or to ship it. */
export function isModelFile(name: string): boolean {
  return small.includes(name) || isWeightsFile(name);
}

export function isTokenizerFile(name: string): boolean {
  return ofTokenizers.includes(name);
}

export function isWeightsFile(name: string): boolean {
  return /^model(-\d+-of-\d+)?\.safetensors$/.test(name);
}

/** What a model is called after its file or folder: `SmolLM2-135M-Instruct.Q4_1.gguf` → `smollm2-135m-instruct.q4_1`. */
export function plainName(path: string): string {
  const plain = basename(path)
    .replace(/\.gguf$/i, "")
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, 80);
  return plain === "" ? "model" : plain;
}
