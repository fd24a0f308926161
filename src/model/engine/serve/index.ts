export { makeStateFolder } from "./catalogue.ts";
export { checkAddress, type ServeOptions, serveTinker, type TinkerServer } from "./serve.ts";
