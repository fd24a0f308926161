import { pythonFilters, pythonMethods } from "./python-text.ts";

/** Names that no template can write, so that none can hide them. */
export const methodName = (method: string): string => `str.${method}`;
export const filterName = (filter: string): string => `filter.${filter}`;
export const operatorName = (operator: string): string => `operator.${operator}`;
export const forget = "loop.forget";
export const turns = "loop.turns";

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

/**
 * Rewrites what the library parsed, in place, where it would run otherwise than Python: methods and filters of texts and
 * what is equal become calls of functions of our own, and loops begin each turn with one.
 */
export function mend(value: unknown): void {
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
