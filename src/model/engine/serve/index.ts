export { type ServeOptions, serveTinker, type TinkerServer } from "./serve.ts";
