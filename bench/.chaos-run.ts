import { mkdtempSync } from "node:fs";
import { Chaos, uniformOf } from "/work/wt/durable/bench/chaos/kill-runs.ts";

const root = mkdtempSync("/tmp/chaos-mine-");
const of = (name: string, rounds: number) =>
  new Chaos({ engine: "tabular", root: `${root}/${name}`, rounds, uniform: uniformOf(1, "tabular") });
const b = Date.now();
const r = await of("random", 2).atRandom(12);
console.log("random", (Date.now() - b) / 1000, JSON.stringify({ ...r, folders: r.folders.length }));
const p = await of("boundaries", 1).atBoundaries();
console.log(
  "boundaries",
  (Date.now() - b) / 1000,
  JSON.stringify({ ...p, places: p.places.length }),
  p.places.join("\n"),
);
