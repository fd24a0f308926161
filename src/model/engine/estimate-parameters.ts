/** Parameters of a Llama-family decoder, exact where it has no biases and no norms of heads; NaN members count as absent. */
export function estimateParameters(config: Readonly<Record<string, unknown>>): number {
  const number = (name: string, otherwise: number): number => {
    const value = config[name];
    return typeof value === "number" && Number.isFinite(value) ? value : otherwise;
  };
  const width = number("hidden_size", 0);
  const layers = number("num_hidden_layers", 0);
  const heads = number("num_attention_heads", 1);
  const headWidth = number("head_dim", width / heads);
  const keyHeads = number("num_key_value_heads", heads);
  const vocabulary = number("vocab_size", 0);
  const positions = config.position_embedding_type === "learned" ? number("max_position_embeddings", 0) : 0;
  const attention = width * headWidth * (2 * heads + 2 * keyHeads);
  const feedForward = 3 * width * number("intermediate_size", 4 * width);
  const embeddings = (config.tie_word_embeddings === true ? 1 : 2) * vocabulary * width;
  const norms = (2 * layers + 1) * width;
  return layers * (attention + feedForward) + embeddings + positions * width + norms;
}
