/** What tiny models of all families have in common, for checks that make one of each. */
export const tinyShape = (vocabularySize: number) => ({
  vocab_size: vocabularySize,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
  pad_token_id: null,
  bos_token_id: 1,
  eos_token_id: 2,
});
