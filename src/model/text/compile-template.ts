import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import { messageOf } from "../../foundation/base/index.ts";
import { filterName, forget, mend, methodName, operatorName, turns } from "./mend-template.ts";
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
 * without HTML's escapes, and `strftime_now` on the given day. Where the library differs from Python, the parsed template
 * is mended.
 */
export function compileTemplate(template: string, today: Date): CompiledTemplate {
  const program = parse(
    tokenize(template.replaceAll(/\r\n?/g, "\n"), { lstrip_blocks: true, trim_blocks: true }),
  );
  mend(program);
  return {
    render: (variables) => {
      const environment = environmentOf(today);
      for (const [name, value] of Object.entries(variables)) environment.set(name, value);
      return String(new Interpreter(environment).run(program).value);
    },
  };
}

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
