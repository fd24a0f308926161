import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { outputSchemas } from "../tests/json-schemas.ts";

/** Writes docs/schemas/: what commands print with `--json`, for whoever reads it with a program. */
const folder = join(import.meta.dirname, "../docs/schemas");
mkdirSync(folder, { recursive: true });
for (const [command, schema] of Object.entries(outputSchemas))
  writeFileSync(join(folder, `${command}.json`), `${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n`);
