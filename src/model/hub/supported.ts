/** Values of `model_type` that the local engine runs: those of `torch-engine/whetstone_engine/config.py`. */
export const supportedArchitectures = ["llama", "mistral", "qwen2", "qwen3", "smollm3"] as const;
