import { z } from "zod";
import { userError } from "./errors.ts";
import { nearest } from "./suggest.ts";

/**
 * Reads the options of a part against a strict schema. A wrong or unknown option throws a user error
 * `invalid-option` that names the place, the option, and the nearest right one.
 */
export function readOptions<S extends z.ZodType>(where: string, schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw userError("invalid-option", `${where}: ${sentence(schema, issue)}`, { where });
}

/** A value from elsewhere that is known by one of its members. */
export function valueWith<T>(member: string, expected: string): z.ZodCustom<T, T> {
  return z.custom<T>((value) => typeof value === "object" && value !== null && member in value, expected);
}

/** The options of a part that has none. */
export type NoOptions = Readonly<Record<string, never>>;

const noOptions = z.strictObject({});

/** Refuses every option of a part that has none, as {@link readOptions} does. */
export function refuseOptions(where: string, value: unknown): void {
  readOptions(where, noOptions, value);
}

function sentence(schema: z.ZodType, issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return "invalid options.";
  const place = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, issue.path);
    return issue.keys
      .map((key) => unknownOption(place === "" ? key : `${place}.${key}`, key, known))
      .join(" ");
  }
  const meant = issue.code === "invalid_value" ? nearestValue(issue) : undefined;
  const text = `${expectation(issue)}${meant === undefined ? "." : `; did you mean "${meant}"?`}`;
  return place === "" ? text : `option "${place}": ${text}`;
}

/** What TRL, verl and papers call options of training that have another name here. */
const elsewhere: Readonly<Record<string, string>> = {
  beta: "kl",
  "batch-size": "batch",
  "group-size": "samples",
  "num-generations": "samples",
  "num-samples": "samples",
  n: "samples",
  "num-train-epochs": "epochs",
  "max-steps": "steps",
  "max-grad-norm": "gradientClipNorm",
  epsilon: "clipLow",
  "epsilon-high": "clipHigh",
  "num-iterations": "iterations",
  estimator: "advantages",
  "adv-estimator": "advantages",
};

/** The option that somebody means who knows another trainer's names, else the nearest. */
function meantOption(key: string, known: readonly string[]): string | undefined {
  const name = elsewhere[key.toLowerCase().replaceAll("_", "-")];
  return name !== undefined && known.includes(name) ? name : nearest(key, known);
}

function unknownOption(full: string, key: string, known: readonly string[] | undefined): string {
  const meant = meantOption(key, known ?? []);
  if (meant !== undefined) return `there is no option "${full}"; did you mean "${meant}"?`;
  if (known === undefined) return `there is no option "${full}".`;
  return known.length === 0
    ? `there is no option "${full}"; it takes none.`
    : `there is no option "${full}"; it takes ${known.map((name) => `"${name}"`).join(", ")}.`;
}

/** What was expected; of a union, what each of its members did. */
function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_union" || issue.errors.length === 0)
    return issue.message.replace(/^Invalid (input|option): /, "");
  const members = issue.errors.flatMap(([first]) => (first === undefined ? [] : [expectation(first)]));
  const texts = members.map((text) => text.replace(/^(.*: )?expected /, "").replace(/, received .*$/, ""));
  return `expected ${[...new Set(texts)].join(" or ")}`;
}

function nearestValue({ input, values }: z.core.$ZodIssueInvalidValue): string | undefined {
  const texts = values.filter((value) => typeof value === "string");
  return typeof input === "string" ? nearest(input, texts) : undefined;
}

const wrappers = [z.ZodOptional, z.ZodDefault, z.ZodPrefault, z.ZodReadonly, z.ZodNullable];
type Wrapper = InstanceType<(typeof wrappers)[number]>;

/** The options of the object at a path; undefined where the schema there is no object. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] | undefined {
  let current: unknown = schema;
  for (const key of [...path, undefined]) {
    while (wrappers.some((wrapper) => current instanceof wrapper)) current = (current as Wrapper).unwrap();
    if (!(current instanceof z.ZodObject)) return undefined;
    const shape = current.shape as Record<string, unknown>;
    if (key === undefined) return Object.keys(shape);
    current = shape[String(key)];
  }
  return undefined;
}
