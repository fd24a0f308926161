import { z } from "zod";
import { userError } from "./errors.ts";
import { nearest } from "./suggest.ts";

/**
 * Reads the options of a part against a strict schema. A wrong or unknown option throws a user error
 * `invalid-option` that names the place, the option, and the nearest right one.
 */
export function readOptions<S extends z.ZodType>(where: string, schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw userError("invalid-option", `${where}: ${sentence(schema, issue)}`, { where });
}

function sentence(schema: z.ZodType, issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return "invalid options.";
  const place = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, issue.path);
    return issue.keys
      .map((key) => {
        const full = place === "" ? key : `${place}.${key}`;
        const meant = nearest(key, known);
        if (meant !== undefined) return `there is no option "${full}"; did you mean "${meant}"?`;
        return known.length === 0
          ? `there is no option "${full}"; it takes none.`
          : `there is no option "${full}"; it takes ${known.map((name) => `"${name}"`).join(", ")}.`;
      })
      .join(" ");
  }
  const text = issue.message.replace(/^Invalid input: /, "");
  return place === "" ? `${text}.` : `option "${place}": ${text}.`;
}

function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let current: unknown = schema;
  for (const key of [...path, undefined]) {
    while (current instanceof z.ZodOptional || current instanceof z.ZodDefault) current = current.unwrap();
    if (!(current instanceof z.ZodObject)) return [];
    const shape = current.shape as Record<string, unknown>;
    if (key === undefined) return Object.keys(shape);
    current = shape[String(key)];
  }
  return [];
}
