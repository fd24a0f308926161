/**
 * Whether an update of ours makes the weights that TRL's trainers make, from the same weights, data and logprobs, in fp32 and without
 * dropout: one row a loss. What TRL made is stored (bench/exact/fixtures; bench/exact/reference has the scripts), so that nothing but
 * the engine is needed. `--only LOSS,LOSS`; `--json`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { local } from "whetstone";
import { exactCases } from "./exact/cases.ts";
import type { ExactRow } from "./exact/exact-case.ts";
import { measureCase } from "./exact/measure.ts";
import { renderTable } from "./record.ts";

const { values } = parseArgs({
  options: { only: { type: "string" }, json: { type: "boolean", default: false } },
});
const known = exactCases.map(({ loss }) => loss);
const wanted = values.only?.split(",") ?? known;
for (const loss of wanted)
  if (!known.includes(loss)) throw new Error(`--only takes some of ${known.join(",")}`);

const logFolder = await mkdtemp(join(tmpdir(), "whetstone-exact-logs-"));
const rows: ExactRow[] = [];
try {
  await using engine = await local({ workers: 1 }).open({ logFolder });
  for (const one of exactCases)
    if (wanted.includes(one.loss))
      rows.push({
        loss: one.loss,
        max_abs_difference: await measureCase(engine, one),
        tolerance: one.tolerance,
      });
} finally {
  await rm(logFolder, { recursive: true, force: true });
}
if (values.json) console.log(JSON.stringify({ rows }));
else
  console.log(
    renderTable({
      columns: ["loss", "largest difference of a weight", "tolerance", "equal"],
      rows: rows.map(({ loss, max_abs_difference: most, tolerance }) => [
        loss,
        most.toExponential(1),
        tolerance.toExponential(0),
        most <= tolerance ? "yes" : "NO",
      ]),
    }),
  );
process.exitCode = rows.every(({ max_abs_difference: most, tolerance }) => most <= tolerance) ? 0 : 1;
