/**
 * Parameters of a Llama-family decoder, exact where it has no biases and no norms of heads, and about those of others;
 * members that are no numbers count as absent.
 */
export function estimateParameters(config: Readonly<Record<string, unknown>>): number {
  const number = (name: string, otherwise: number): number => {
    const value = config[name];
    return typeof value === "number" && Number.isFinite(value) ? value : otherwise;
  };
  const width = number("hidden_size", number("n_embd", number("d_model", 0)));
  const layers = number("num_hidden_layers", number("n_layer", number("n_layers", 0)));
  const heads = number("num_attention_heads", number("n_head", 1));
  const headWidth = number("head_dim", width / heads);
  const keyHeads = number("num_key_value_heads", heads);
  const vocabulary = number("vocab_size", 0);
  const positions = config.position_embedding_type === "learned" ? number("max_position_embeddings", 0) : 0;
  const attention = width * headWidth * (2 * heads + 2 * keyHeads);
  const experts = number("num_local_experts", number("num_experts", number("n_routed_experts", 0)));
  const dense = number("intermediate_size", 4 * width);
  const feedForward = 3 * width * (experts > 0 ? experts * number("moe_intermediate_size", dense) : dense);
  const embeddings = (config.tie_word_embeddings === true ? 1 : 2) * vocabulary * width;
  const norms = (2 * layers + 1) * width;
  return layers * (attention + feedForward) + embeddings + positions * width + norms;
}
