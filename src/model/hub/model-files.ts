const small = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "tokenizer.model",
  "chat_template.jinja",
  "model.safetensors.index.json",
  "LICENSE",
  "LICENSE.txt",
];

/** Whether a file of a model's folder is needed to run or to ship it. */
export function isModelFile(name: string): boolean {
  return small.includes(name) || isWeightsFile(name);
}

export function isWeightsFile(name: string): boolean {
  return /^model(-\d+-of-\d+)?\.safetensors$/.test(name);
}
