import { z } from "zod";
import { userError } from "./errors.ts";
import { nearest } from "./suggest.ts";

/**
 * Reads the options of a part against a strict schema. A wrong or unknown option throws a user error
 * `invalid-option` that names the place, the option, and the nearest right one.
 */
export function readOptions<S extends z.ZodType>(where: string, schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value, firstIssue);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw userError("invalid-option", `${where}: ${sentence(schema, issue)}`, { where });
}

/** One issue is told: to list them all would take more memory than there is where a request has millions of wrong elements. */
const firstIssue: z.core.ParseContextInternal<z.core.$ZodIssue> = { reportInput: true, abortEarly: true };

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
    const known = keysOf(schemaAt(schema, issue.path), issue.input);
    return issue.keys
      .map((key) => unknownOption(place === "" ? key : `${place}.${key}`, key, known))
      .join(" ");
  }
  const meant = meantValue(issue);
  const wanted = issue.code === "invalid_type" ? formOf(schemaAt(schema, issue.path), issue) : undefined;
  const text = `${wanted ?? expectation(issue)}${meant === undefined ? "." : `; did you mean "${meant}"?`}`;
  return place === "" ? text : `option "${place}": ${text}`;
}

/** What TRL, verl and papers call options that have another name here, and what a clock does. */
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
  seconds: "wallSeconds",
  minutes: "wallSeconds",
  hours: "wallSeconds",
  "max-time": "wallSeconds",
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
    : `there is no option "${full}"; it takes ${namesOf(known)}.`;
}

/** What was expected; of a union, what each of its members did. */
function expectation(issue: z.core.$ZodIssue): string {
  const choices = choicesOf(issue);
  if (choices !== undefined) return `expected one of ${choices.map((one) => `"${one}"`).join("|")}`;
  if (issue.code !== "invalid_union" || issue.errors.length === 0)
    return issue.message.replace(/^Invalid (input|option): /, "");
  const members = issue.errors.flatMap(([first]) => (first === undefined ? [] : [expectation(first)]));
  const texts = members.map((text) => text.replace(/^(.*: )?expected /, "").replace(/, received .*$/, ""));
  return `expected ${[...new Set(texts)].join(" or ")}`;
}

/** Of options of several kinds, told apart by one of them: which values this one has. */
function choicesOf(issue: z.core.$ZodIssue): string[] | undefined {
  const { options } = issue as { readonly options?: unknown };
  return issue.code === "invalid_union" && Array.isArray(options) ? options.map(String) : undefined;
}

function meantValue(issue: z.core.$ZodIssue): string | undefined {
  const { input } = issue;
  const choices = choicesOf(issue);
  if (choices !== undefined && typeof input === "object" && input !== null) {
    const given: unknown = Reflect.get(input, issue.path.at(-1) ?? "");
    return typeof given === "string" ? nearest(given, choices) : undefined;
  }
  if (issue.code !== "invalid_value" || typeof input !== "string") return undefined;
  return nearest(
    input,
    issue.values.filter((value) => typeof value === "string"),
  );
}

/** Of more options nobody reads a list. */
const mostNamed = 8;

/** What options look like, where something else was given; undefined where none were expected. */
function formOf(schema: unknown, issue: z.core.$ZodIssueInvalidType): string | undefined {
  const received = issue.message.replace(/^.*, /, "");
  if (schema instanceof z.ZodObject) {
    const names = Object.keys(schema.shape);
    return names.length > mostNamed ? undefined : `expected an object of ${namesOf(names)}, ${received}`;
  }
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return undefined;
  const { discriminator } = schema.def;
  const kinds = schema.options.flatMap((option) => literalsOf(option, discriminator));
  return `expected an object such as { ${discriminator}: "${kinds.find((kind) => kind === issue.input) ?? kinds[0]}" }, ${received}`;
}

const namesOf = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ");

function literalsOf(option: unknown, name: string): unknown[] {
  const own: unknown = option instanceof z.ZodObject ? option.shape[name] : undefined;
  return own instanceof z.ZodLiteral ? [...own.values] : [];
}

const wrappers = [z.ZodOptional, z.ZodDefault, z.ZodPrefault, z.ZodReadonly, z.ZodNullable];
type Wrapper = InstanceType<(typeof wrappers)[number]>;

/** The schema at a path; undefined where no object leads there. */
function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): unknown {
  let current: unknown = schema;
  for (const key of [...path, undefined]) {
    while (wrappers.some((wrapper) => current instanceof wrapper)) current = (current as Wrapper).unwrap();
    if (key === undefined) return current;
    current = current instanceof z.ZodObject ? current.shape[String(key)] : undefined;
  }
  return undefined;
}

/** The options that a schema knows; of several kinds those of the kind that was given. Undefined where they are not known. */
function keysOf(schema: unknown, given: unknown): string[] | undefined {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  if (!(schema instanceof z.ZodDiscriminatedUnion) || typeof given !== "object" || given === null)
    return undefined;
  const { discriminator } = schema.def;
  const kind: unknown = Reflect.get(given, discriminator);
  const own = schema.options.find((option) => literalsOf(option, discriminator).includes(kind));
  return own === undefined ? undefined : keysOf(own, given);
}
