import { Chaos, uniformOf } from "./chaos/kill-runs.ts";
import { mkdtempSync } from "node:fs";
const root = mkdtempSync("/tmp/chaos-mine-");
const b = Date.now();
const l = await new Chaos({ engine: "local", root: `${root}/local`, rounds: 1, uniform: uniformOf(1, "local") }).atRandom(3);
console.log("local", (Date.now()-b)/1000, JSON.stringify({ ...l, folders: l.folders.length }));
const p = await new Chaos({ engine: "tabular", root: `${root}/boundaries`, rounds: 1, uniform: uniformOf(1, "tabular") }).atBoundaries();
console.log("boundaries", (Date.now()-b)/1000, JSON.stringify({ ...p, places: p.places.length }));
