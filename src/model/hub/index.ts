export { type NamedModel, namedModels } from "./catalogue.ts";
export { fromFolder } from "./from-folder.ts";
export { type ImportOptions, importModel } from "./import-model.ts";
export { modelCalled, pretrained } from "./pretrained.ts";
export { describeSource, type Provenance } from "./provenance.ts";
export { pullModel } from "./pull.ts";
export {
  modelBytes,
  removeModel,
  type StoredModel,
  type StoreOptions,
  storedModel,
  storedModels,
} from "./store.ts";
