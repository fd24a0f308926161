import { type Rational, rationalOf } from "../rational.ts";
import { type Token, tokensOf } from "./tokens.ts";

export type Expression =
  | { readonly kind: "number"; readonly value: Rational }
  | { readonly kind: "constant"; readonly name: "pi" | "e" }
  | { readonly kind: "symbol"; readonly name: string }
  | {
      readonly kind: "operation";
      readonly sign: "+" | "*" | "/" | "^";
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "negative"; readonly of: Expression }
  | { readonly kind: "call"; readonly name: FunctionName; readonly of: Expression };

const functionNames = ["sin", "cos", "tan", "ln", "log", "exp", "abs"] as const;
export type FunctionName = (typeof functionNames)[number];

const greek =
  /^(?:alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|rho|sigma|tau|phi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Sigma|Phi|Psi|Omega|varphi|varepsilon)$/;

const mostCharacters = 400;
const mostDepth = 60;
/** Letters side by side are a product, more of them are a word and no expression. */
const mostLetters = 3;

/** Reads an expression; undefined where it is none, or longer or deeper than an answer is. */
export function parseExpression(text: string): Expression | undefined {
  if (text.length > mostCharacters) return undefined;
  const tokens = tokensOf(text);
  if (tokens === undefined || tokens.length === 0) return undefined;
  try {
    return new Parser(tokens).whole();
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

class Unreadable extends Error {}

class Parser {
  readonly #tokens: readonly Token[];
  #place = 0;
  #depth = 0;
  #bars = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const sum = this.#sum();
    if (this.#place < this.#tokens.length) throw new Unreadable();
    return sum;
  }

  #sum(): Expression {
    this.#depth += 1;
    if (this.#depth > mostDepth) throw new Unreadable();
    let left = this.#product();
    for (;;) {
      if (this.#take("+")) left = operation("+", left, this.#product());
      else if (this.#take("-")) left = operation("+", left, { kind: "negative", of: this.#product() });
      else break;
    }
    this.#depth -= 1;
    return left;
  }

  #product(): Expression {
    let left = this.#signed();
    for (;;) {
      if (this.#take("*")) left = operation("*", left, this.#signed());
      else if (this.#take("/")) left = operation("/", left, this.#signed());
      else if (this.#beginsFactor()) left = operation("*", left, this.#power());
      else return left;
    }
  }

  #signed(): Expression {
    let negative = false;
    for (;;) {
      if (this.#take("-")) negative = !negative;
      else if (!this.#take("+")) break;
    }
    const power = this.#power();
    return negative ? { kind: "negative", of: power } : power;
  }

  #power(): Expression {
    this.#depth += 1;
    if (this.#depth > mostDepth) throw new Unreadable();
    let base = this.#primary();
    while (this.#take("%")) base = operation("/", base, numberOf("100"));
    if (this.#take("^")) base = operation("^", base, this.#signed());
    while (this.#take("%")) base = operation("/", base, numberOf("100"));
    this.#depth -= 1;
    return base;
  }

  #primary(): Expression {
    const token = this.#tokens[this.#place];
    if (token === undefined) throw new Unreadable();
    if (token.text === "|" && token.kind === "sign") return this.#magnitude();
    const closing = { "(": ")", "{": "}", "[": "]" }[token.text];
    if (closing !== undefined) return this.#group(token.text, closing);
    this.#place += 1;
    if (token.kind === "number") return this.#mixed(numberOf(token.text), token);
    if (token.kind === "command") return this.#named(token.text);
    if (token.kind === "word") return this.#word(token.text);
    throw new Unreadable();
  }

  /** `1 1/2` and `1\frac{1}{2}` are one and a half. */
  #mixed(whole: Expression, { text }: Token): Expression {
    const [next, sign, below] = this.#tokens.slice(this.#place, this.#place + 3);
    if (next?.kind === "command" && next.text === "frac" && /^\d+$/.test(text))
      return operation("+", whole, this.#primary());
    if (next?.kind !== "number") return whole;
    if (
      sign?.text !== "/" ||
      below?.kind !== "number" ||
      ![text, next.text, below.text].every((one) => /^\d+$/.test(one))
    )
      throw new Unreadable();
    this.#place += 3;
    return operation("+", whole, operation("/", numberOf(next.text), numberOf(below.text)));
  }

  #named(name: string): Expression {
    if (name === "frac") return operation("/", this.#argument(), this.#argument());
    if (name === "sqrt") return this.#root();
    if (name === "pi") return { kind: "constant", name: "pi" };
    if (greek.test(name)) return this.#symbol(name);
    const known = functionNames.find((one) => one === name);
    if (known === undefined) throw new Unreadable();
    return this.#call(known);
  }

  #word(word: string): Expression {
    if (word === "e") return { kind: "constant", name: "e" };
    if (word === "sqrt" || word === "pi" || functionNames.some((one) => one === word))
      return this.#named(word);
    const neighbours = [this.#tokens[this.#place - 2], this.#tokens[this.#place]];
    const besideWord = neighbours.some((token) => token?.kind === "word");
    if (word.length > mostLetters || (word.length > 1 && besideWord)) throw new Unreadable();
    const [first = "", ...others] = word;
    const symbols = others.map((name): Expression => ({ kind: "symbol", name }));
    if (symbols.length === 0) return this.#symbol(first);
    return symbols.reduce((product, symbol) => operation("*", product, symbol), {
      kind: "symbol",
      name: first,
    });
  }

  #symbol(name: string): Expression {
    if (!this.#take("_")) return { kind: "symbol", name };
    const braced = this.#take("{");
    const index = this.#tokens[this.#place];
    this.#place += 1;
    if (index === undefined || index.kind === "sign" || (braced && !this.#take("}"))) throw new Unreadable();
    return { kind: "symbol", name: `${name}_${index.text}` };
  }

  #root(): Expression {
    const degree = this.#tokens[this.#place]?.text === "[" ? this.#group("[", "]") : numberOf("2");
    return operation("^", this.#argument(), operation("/", numberOf("1"), degree));
  }

  #call(name: FunctionName): Expression {
    const exponent = this.#take("^") ? this.#argument() : undefined;
    const call: Expression = { kind: "call", name, of: this.#argument() };
    return exponent ? operation("^", call, exponent) : call;
  }

  /** What a command takes: a group, or a single thing; of `\frac12` one digit each. */
  #argument(): Expression {
    const token = this.#tokens[this.#place];
    if (token?.kind !== "number" || token.text.length === 1 || !/^\d+$/.test(token.text))
      return this.#primaryAlone();
    const before = this.#tokens[this.#place - 1];
    if (before?.text !== "frac" || token.text.length !== 2) return this.#primaryAlone();
    const digits = [...token.text].map((text): Token => ({ kind: "number", text, spaced: false }));
    (this.#tokens as Token[]).splice(this.#place, 1, ...digits);
    return this.#primaryAlone();
  }

  #primaryAlone(): Expression {
    const token = this.#tokens[this.#place];
    if (token?.kind !== "number") return this.#primary();
    this.#place += 1;
    return numberOf(token.text);
  }

  #group(opening: string, closing: string): Expression {
    this.#need(opening);
    const bars = this.#bars;
    this.#bars = 0;
    const sum = this.#sum();
    this.#bars = bars;
    this.#need(closing);
    return sum;
  }

  #magnitude(): Expression {
    this.#need("|");
    this.#bars += 1;
    const sum = this.#sum();
    this.#bars -= 1;
    this.#need("|");
    return { kind: "call", name: "abs", of: sum };
  }

  /** Whether a factor follows without a sign: `2x`, `3(x+1)`, `x y`. */
  #beginsFactor(): boolean {
    const token = this.#tokens[this.#place];
    if (token === undefined) return false;
    if (token.kind === "sign")
      return token.text === "(" || token.text === "{" || (token.text === "|" && this.#bars === 0);
    return token.kind !== "number";
  }

  #take(sign: string): boolean {
    const token = this.#tokens[this.#place];
    if (token?.kind !== "sign" || token.text !== sign) return false;
    this.#place += 1;
    return true;
  }

  #need(sign: string): void {
    if (!this.#take(sign)) throw new Unreadable();
  }
}

function operation(sign: "+" | "*" | "/" | "^", left: Expression, right: Expression): Expression {
  return { kind: "operation", sign, left, right };
}

function numberOf(text: string): Expression {
  const value = rationalOf(text);
  if (value === undefined) throw new Unreadable();
  return { kind: "number", value };
}

/** Names of an expression's symbols. */
export function symbolsOf(expression: Expression, names = new Set<string>()): Set<string> {
  if (expression.kind === "symbol") names.add(expression.name);
  if (expression.kind === "operation") {
    symbolsOf(expression.left, names);
    symbolsOf(expression.right, names);
  }
  if (expression.kind === "negative" || expression.kind === "call") symbolsOf(expression.of, names);
  return names;
}
