/**
 * `npm run bench:demo-faults`: the demo with each of its planted faults must end with the right decision and say in plain words what
 * was wrong, which guard found it, what was done and what to do. `--only NAME,NAME`; `--json`.
 */
import { parseArgs } from "node:util";
import { faultyDemos } from "./demo-faults/faulty-demos.ts";
import { type PlayedDemo, playDemo } from "./demo-faults/play.ts";
import { record, renderTable } from "./record.ts";

const { values } = parseArgs({
  options: { only: { type: "string" }, json: { type: "boolean", default: false } },
});
const known = faultyDemos.map(({ fault }) => fault);
const wanted = values.only?.split(",") ?? known;
for (const name of wanted)
  if (!known.includes(name)) throw new Error(`--only takes some of ${known.join(",")}`);

const played: PlayedDemo[] = [];
for (const demo of faultyDemos)
  if (wanted.includes(demo.fault)) {
    const one = await playDemo(demo);
    played.push(one);
    for (const words of one.wrong) console.error(`${one.fault}: ${words}`);
  }
const failed = played.filter(({ wrong }) => wrong.length > 0);
const table = {
  columns: ["fault", "decisions", "done", "seconds"],
  rows: played.map(({ fault, decisions, words, seconds }) => [
    fault,
    decisions.join(", "),
    words,
    seconds.toFixed(0),
  ]),
};
const verdict =
  failed.length === 0
    ? `Holds: ${played.length} of ${played.length} end with the right decision and the right words.`
    : `Does not hold: ${failed.map(({ fault }) => fault).join(", ")}.`;
if (values.json) console.log(JSON.stringify({ demos: played }));
else console.log(`${renderTable(table)}\n\n${verdict}`);
if (values.only === undefined)
  record("demo-faults", "npm run --silent bench:demo-faults", {
    title: "The demo with a planted fault: what is decided, and what is said",
    ...table,
    verdict,
  });
process.exitCode = failed.length === 0 ? 0 : 1;
