export { type PreferenceOptions, preference } from "./preference.ts";
export { type UnpairedPreferenceOptions, unpairedPreference } from "./unpaired.ts";
