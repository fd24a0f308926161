import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import { messageOf } from "../../foundation/base/index.ts";
import { equal, type Held } from "./python-equal.ts";
import { pythonFilters, pythonMethods } from "./python-text.ts";
import { strftime } from "./strftime.ts";

/** What a template says when it calls `raise_exception`. */
export class TemplateRefusal extends Error {}

export interface CompiledTemplate {
  /** Throws a {@link TemplateRefusal} where the template raises, another error where it cannot be rendered. */
  render(variables: Readonly<Record<string, unknown>>): string;
}

/**
 * A Jinja template as transformers renders it (`render_jinja_template`): blocks trimmed, `raise_exception`, `tojson`
 * without HTML's escapes, and `strftime_now` on the given day. Where the library differs from Python it is mended in
 * the parsed template: methods and filters of texts, and what is equal, become functions of our own, and what a loop's body sets is
 * forgotten when the next turn begins.
 */
export function compileTemplate(template: string, today: Date): CompiledTemplate {
  const program = parse(
    tokenize(template.replaceAll(/\r\n?/g, "\n"), { lstrip_blocks: true, trim_blocks: true }),
  );
  mend(program as unknown as Node);
  return {
    render: (variables) => {
      const environment = environmentOf(today);
      for (const [name, value] of Object.entries(variables)) environment.set(name, value);
      return String(new Interpreter(environment).run(program).value);
    },
  };
}

/** Names that no template can write, so that none can hide them. */
const methodName = (method: string): string => `str.${method}`;
const filterName = (filter: string): string => `filter.${filter}`;
const operatorName = (operator: string): string => `operator.${operator}`;
const forget = "loop.forget";
const turns = "loop.turns";

function environmentOf(today: Date): Environment {
  const environment = new Environment();
  const constants = { true: true, false: false, none: null, True: true, False: false, None: null };
  for (const [name, value] of Object.entries(constants)) environment.set(name, value);
  environment.set("raise_exception", (reason: unknown) => {
    throw new TemplateRefusal(messageOf(reason));
  });
  environment.set("range", range);
  environment.set("strftime_now", (format: string) => strftime(today, format));
  for (const [name, work] of Object.entries(pythonMethods)) environment.set(methodName(name), work);
  for (const [name, work] of Object.entries(pythonFilters)) environment.set(filterName(name), work);
  const held = (name: string): Held => environment.lookupVariable(name);
  /** A function that sees values as the library holds them, and the scope that calls it. */
  const native = (name: string, work: (args: readonly Held[], scope: Environment) => Held): void => {
    const wrapped: { value: unknown } = environment.set(name, () => null);
    wrapped.value = work;
  };
  const nothing: Held = environment.set("loop.nothing", []);
  const [yes, no, none] = [held("true"), held("false"), held("none")];
  native(operatorName("=="), ([one, other]) => (equal(one ?? none, other ?? none) ? yes : no));
  native(operatorName("!="), ([one, other]) => (equal(one ?? none, other ?? none) ? no : yes));
  native(turns, ([list = none]) => (list.type === "UndefinedValue" ? nothing : list));
  native(forget, (kept, { variables }) => {
    const names = new Set(["loop", "namespace", ...kept.map(({ value }) => value)]);
    for (const name of variables.keys()) if (!names.has(name)) variables.delete(name);
    return none;
  });
  return environment;
}

function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  return Array.from(
    { length: Math.max(0, Math.ceil((to - from) / step)) },
    (_, index) => from + index * step,
  );
}

interface Node {
  type: string;
  [member: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as Node).type === "string";

const identifier = (value: string): Node => ({ type: "Identifier", value });
const call = (name: string, args: readonly unknown[]): Node => ({
  type: "CallExpression",
  callee: identifier(name),
  args,
});

/** Rewrites a node and all that it holds, in place. */
function mend(value: unknown): void {
  if (Array.isArray(value)) for (const one of value) mend(one);
  else if (value instanceof Map) for (const pair of value) mend(pair);
  else if (isNode(value)) {
    for (const member of Object.values(value)) mend(member);
    const better = mended(value);
    if (better !== undefined) Object.assign(value, better);
    if (value.type === "For") mendLoop(value);
  }
}

/** Each turn begins without what the one before has set, and there are none over what is absent. */
function mendLoop(loop: Node): void {
  const { iterable, body, loopvar } = loop as Node & { readonly iterable: Node };
  (body as unknown[]).unshift(call(forget, namesOf(loopvar as Node).map(literal)));
  if (iterable.type === "SelectExpression") iterable.lhs = call(turns, [iterable.lhs]);
  else loop.iterable = call(turns, [iterable]);
}

function mended(node: Node): Node | undefined {
  const { callee, args, operand, filter, operator, left, right } = node;
  if (node.type === "BinaryExpression" && ["==", "!="].includes(String((operator as Node).value)))
    return call(operatorName(String((operator as Node).value)), [left, right]);
  if (node.type === "CallExpression" && isNode(callee) && callee.type === "MemberExpression") {
    const name = (callee.property as Node).value;
    if (callee.computed === false && typeof name === "string" && Object.hasOwn(pythonMethods, name))
      return call(methodName(name), [callee.object, ...(args as unknown[])]);
  }
  if (node.type === "FilterExpression" && isNode(filter)) {
    const [named, rest] =
      filter.type === "CallExpression" ? [filter.callee as Node, filter.args as unknown[]] : [filter, []];
    if (Object.hasOwn(pythonFilters, String(named.value)))
      return call(filterName(String(named.value)), [operand, ...rest]);
  }
  return undefined;
}

const literal = (value: string): Node => ({ type: "StringLiteral", value });

function namesOf(target: Node): string[] {
  if (target.type === "Identifier") return [String(target.value)];
  return Array.isArray(target.value) ? target.value.flatMap((one) => namesOf(one as Node)) : [];
}
