import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { traceSchema } from "../src/loop/run/trace/trace-schema.ts";

test("docs/schemas/trace.json is the schema of what is printed", async () => {
  const text = JSON.stringify(z.toJSONSchema(traceSchema), null, 2);
  const path = join(import.meta.dirname, "../docs/schemas/trace.json");
  await expect(`${text}\n`).toMatchFileSnapshot(path);
});
