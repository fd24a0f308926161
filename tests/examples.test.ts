import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import ts from "typescript";
import { describe, expect, test, vi } from "vitest";
import * as whetstone from "../src/index.ts";
import * as testing from "../src/testing.ts";

/** Every value that the public API exports, with the examples that its docstring gives. */
interface Documented {
  readonly name: string;
  readonly examples: readonly string[];
}

const root = resolve(import.meta.dirname, "..");
const entries = { "src/index.ts": whetstone, "src/testing.ts": testing };
const names = [...new Set(Object.values(entries).flatMap((entry) => Object.keys(entry)))].sort();
const documented = readExamples();
const surroundings = { ...whetstone, ...testing, mkdtemp, writeFile, tmpdir, join };

describe("the public API", () => {
  test("is what its index says", () => {
    expect(documented.map(({ name }) => name).sort()).toEqual(names);
  });

  test.each(documented)("$name has an example", ({ examples }) => {
    expect(examples.length).toBeGreaterThan(0);
  });

  test("its examples fit its types", () => {
    const text = documented
      .flatMap(({ examples }) => examples)
      .map((example) => `await (async () => {\n${example}\n})();`);
    const ofTesting = Object.keys(testing).filter((name) => !(name in whetstone));
    const imports = `import { ${Object.keys(whetstone).join(", ")} } from "../src/index.ts";\nimport { ${ofTesting.join(", ")} } from "../src/testing.ts";\nimport { mkdtemp, writeFile } from "node:fs/promises";\nimport { tmpdir } from "node:os";\nimport { join } from "node:path";\n`;
    expect(typeFaults(imports + text.join("\n"))).toEqual([]);
  });

  test.each(documented.flatMap(({ name, examples }) => examples.map((example) => ({ name, example }))))(
    "the example of $name runs",
    async ({ name, example }) => {
      const folder = await mkdtemp(join(tmpdir(), `whetstone-example-${name}-`));
      vi.spyOn(console, "log").mockImplementation(() => {});
      vi.spyOn(process, "cwd").mockReturnValue(folder);
      try {
        await execute(example);
      } finally {
        vi.restoreAllMocks();
        await rm(folder, { recursive: true, force: true });
      }
    },
    60_000,
  );
});

async function execute(example: string): Promise<void> {
  // Down to what `new Function` takes: no types, no `using`.
  const target = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  const { outputText } = ts.transpileModule(`async () => {\n${example}\n}`, { compilerOptions: target });
  const names = Object.keys(surroundings);
  const made = new Function(...names, `${outputText.replace(/^(?=async \(\) => \{$)/m, "return ")}`);
  await (
    made(...names.map((name) => surroundings[name as keyof typeof surroundings])) as () => Promise<void>
  )();
}

function readExamples(): Documented[] {
  const { options } = configuration();
  const paths = Object.keys(entries).map((path) => join(root, path));
  const program = ts.createProgram(paths, options);
  const checker = program.getTypeChecker();
  const exports = paths.flatMap((path) => {
    const source = program.getSourceFile(path);
    const module = source && checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`${path} exports nothing`);
    return checker.getExportsOfModule(module);
  });
  const seen = new Set<string>();
  return exports.flatMap((exported) => {
    if (!names.includes(exported.name) || seen.has(exported.name)) return [];
    seen.add(exported.name);
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const examples = symbol
      .getJsDocTags(checker)
      .filter(({ name }) => name === "example")
      .map(({ text }) => ts.displayPartsToString(text));
    return [{ name: exported.name, examples }];
  });
}

function typeFaults(text: string): string[] {
  const { options } = configuration();
  const path = join(root, "tests", "examples-as-one.ts");
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === path || fileExists(name);
  host.getSourceFile = (name, ...rest) =>
    name === path
      ? ts.createSourceFile(name, text, options.target ?? ts.ScriptTarget.ES2024)
      : getSourceFile(name, ...rest);
  const program = ts.createProgram([path], { ...options, noEmit: true }, host);
  return ts
    .getPreEmitDiagnostics(program, program.getSourceFile(path))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

function configuration(): ts.ParsedCommandLine {
  const read = ts.readConfigFile(join(root, "tsconfig.check.json"), ts.sys.readFile);
  return ts.parseJsonConfigFileContent(read.config, ts.sys, root);
}
