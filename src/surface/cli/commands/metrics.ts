import { extname, resolve } from "node:path";
import { writeWhole } from "../../../foundation/base/index.ts";
import { metricsCsv, metricsJsonl, readMetrics } from "../../../loop/run.ts";
import { answer } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { projectFolder } from "../project-folder.ts";
import type { JsonFlags } from "../route-parts.ts";

export interface MetricsFlags extends JsonFlags {
  readonly format?: "csv" | "jsonl";
  readonly out?: string;
  readonly run?: string;
}

/** Every number of a folder's runs as a table, on standard output or in a file. */
export async function metricsCommand(this: CliContext, flags: MetricsFlags, where = "."): Promise<void> {
  const { output } = this;
  await answer(this, flags.json, async () => {
    const { out, run, json } = flags;
    const rows = readMetrics({ folder: projectFolder(where), ...(run === undefined ? {} : { run }) });
    const format = flags.format ?? formatOf(out, json);
    const text = format === "csv" ? metricsCsv(rows) : metricsJsonl(rows);
    if (out === undefined) output.data(text);
    else {
      const path = resolve(out);
      await writeWhole(path, text);
      if (json) output.json({ metrics: path, rows: rows.length });
      else output.line(`${rows.length.toLocaleString("en-US")} rows lie in ${path}.`);
    }
    return 0;
  });
}

function formatOf(out: string | undefined, json: boolean | undefined): "csv" | "jsonl" {
  if (out !== undefined) return [".jsonl", ".ndjson"].includes(extname(out)) ? "jsonl" : "csv";
  return json ? "jsonl" : "csv";
}
