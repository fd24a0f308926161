import { z } from "zod";
import {
  canonicalJson,
  type Json,
  messageOf,
  readOptions,
  userError,
} from "../../../foundation/base/index.ts";
import type { Verifier } from "../../../foundation/contract/index.ts";
import { comparing } from "./comparison.ts";
import { jsonForm, jsonPart } from "./json-form.ts";

const options = z.strictObject({
  schema: z.record(z.string(), z.unknown()).optional(),
  ignoreOrder: z.boolean().default(false),
});

export interface JsonOptions {
  /** A JSON Schema that reference answers must fit, and responses too: then `parts` say whether one had the form. */
  readonly schema?: Readonly<Record<string, unknown>>;
  /** Takes `[2, 1]` for `[1, 2]`, at every level; false if left out. */
  readonly ignoreOrder?: boolean;
}

/** A response of this length is no answer to compare. */
const mostCharacters = 1_000_000;

/**
 * Score 1 where a complete response, the whole of it or its last code fence, is JSON that equals the item's reference answer, the
 * order of members aside and numbers compared exactly, else 0. `parts` say whether it was JSON at all, and fitted the schema.
 * Throws `invalid-option`.
 *
 * @example
 * const verifier = json({ ignoreOrder: true }); // takes {"b":[2,1],"a":1} where the answer is {"a": 1, "b": [1, 2]}
 */
export function json(given: JsonOptions = {}): Verifier {
  const { schema, ignoreOrder } = readOptions("json()", options, given);
  const fits = schema && schemaTest(schema);
  const formOf = (text: string): string | undefined => {
    try {
      return jsonForm(text, ignoreOrder);
    } catch {
      return undefined;
    }
  };
  return comparing<string>({
    name: "json",
    version: 1,
    description: { ignoreOrder, ...(schema ? { schema: canonicalJson(schema as Json) } : {}) },
    read: (answer) => {
      const reference = formOf(answer);
      if (reference === undefined) return { fault: `${JSON.stringify(answer.slice(0, 60))} is not JSON` };
      return fits && !fits(answer)
        ? { fault: `${JSON.stringify(answer.slice(0, 60))} does not fit the schema` }
        : { reference };
    },
    judge: (reference, text) => {
      const part = text.length > mostCharacters ? "" : jsonPart(text);
      const form = formOf(part);
      const isJson = form !== undefined;
      const formed = isJson && (fits?.(part) ?? true);
      const parts = { json: Number(isJson), ...(fits ? { schema: Number(formed) } : {}) };
      return { outcome: "scored", score: Number(formed && form === reference), parts };
    },
    same: (one, other) => one === other,
    rightForms: (_, answer) => {
      const spaced = JSON.stringify(JSON.parse(answer), null, 2);
      const exact = formOf(spaced) === formOf(answer) ? [spaced] : [];
      return [
        answer,
        ...exact,
        `\`\`\`json\n${answer}\n\`\`\``,
        `Here it is:\n\n\`\`\`\n${answer}\n\`\`\`\n`,
      ];
    },
    wrongForms: (_, answer) => [
      `[${answer}]`,
      `{"answer": ${answer}}`,
      `${answer.trim()}x`,
      `The answer is ${answer}`,
      ...(/[\]}"]$/.test(answer.trim()) ? [answer.trim().slice(0, -1)] : []),
    ],
  });
}

function schemaTest(schema: Readonly<Record<string, unknown>>): (text: string) => boolean {
  if (/"pattern":"|"patternProperties":{/.test(JSON.stringify(schema)))
    throw userError(
      "invalid-option",
      'json(): option "schema": patterns may take time without end on what a model writes, and are not taken; compare with regex() instead.',
      { where: "json()" },
    );
  try {
    const fitting = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    return (text) => fitting.safeParse(JSON.parse(text)).success;
  } catch (error) {
    throw userError("invalid-option", `json(): option "schema": ${messageOf(error)}`, { where: "json()" });
  }
}
