export { makeStateFolder } from "./catalogue.ts";
export { type ServeOptions, serveTinker, type TinkerServer } from "./serve.ts";
