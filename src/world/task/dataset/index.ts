export { chooseVerifier, type VerifierChoice } from "./choose-verifier.ts";
export { type DatasetOptions, dataset, type ReadDataset, readDataset } from "./dataset.ts";
export { canOpen, fewestLines, showableGain } from "./showable.ts";
