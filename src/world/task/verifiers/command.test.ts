import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { ask, Commands, equal, item, reply, score } from "./command/testing/commands.ts";
import { type CommandOptions, command } from "./command.ts";

const commands = new Commands();
afterEach(() => commands.close());
afterAll(() => commands[Symbol.asyncDispose]());

describe("a command", () => {
  test("is asked and answers", async () => {
    const verifier = commands.verifierOf(equal);
    expect(await ask(verifier)).toEqual(score(1));
    expect(await ask(verifier, "123")).toEqual(score(0));
  });

  test("sees the whole request, in any script, as ASCII", async () => {
    const log = join(commands.folder, "request.json");
    const verifier = commands.verifierOf(
      `require("node:fs").writeFileSync(${JSON.stringify(log)}, line); ${equal}`,
    );
    const messages = [{ role: "user", content: "é" }];
    const asked = { ...item, messages, prompt: "naïve\u2028 𝄞 \ud800" };
    expect(await verifier.verify(asked, { text: "321", complete: true })).toEqual(score(1));
    const line = await readFile(log, "utf8");
    expect(line).toMatch(/^[\x20-\x7e]*$/);
    expect(JSON.parse(line)).toEqual({
      id: 1,
      prompt: asked.prompt,
      messages,
      answer: "321",
      response: "321",
      complete: true,
      kind: "kind 1",
    });
  });

  test("is not shown what the token limit cut off", async () => {
    const verifier = commands.verifierOf("process.exit(3)");
    expect(await verifier.verify(item, { text: "321", complete: false })).toEqual(score(0));
  });

  test("may give scores between, parts, and no verdict", async () => {
    const verifier = commands.verifierOf("reply({ id: r.id, ...JSON.parse(r.response) });");
    expect(await ask(verifier, `{"score":0.25,"parts":{"form":1}}`)).toEqual({
      ...score(0.25),
      parts: { form: 1 },
    });
    expect(await ask(verifier, `{"score":true,"parts":null}`)).toEqual(score(1));
    expect(await ask(verifier, `{"void":"no network"}`)).toEqual({ outcome: "void", reason: "no network" });
  });

  test.each([
    `{"score":2}`,
    `{"score":-0.1}`,
    `{"score":"1"}`,
    `{"score":null}`,
    "{}",
    `{"score":1,"parts":{"a":"b"}}`,
  ])("gives no verdict by %s", async (given) => {
    const verifier = commands.verifierOf("reply({ id: r.id, ...JSON.parse(r.response) });");
    expect(await ask(verifier, given)).toMatchObject({
      outcome: "void",
      reason: expect.stringContaining("verifier"),
    });
    expect(await ask(verifier, `{"score":1}`)).toEqual(score(1));
  });

  test("is asked many things at once, no more than its window, and may answer in any order", async () => {
    const onStart = "const held = []; let most = 0;";
    const verifier = commands.verifierOf(
      `held.push(r); most = Math.max(most, held.length);
       setTimeout(() => { held.reverse(); for (const one of held.splice(0)) reply({ id: one.id, score: Number(one.response) / 1000, parts: { most } }); }, 5);`,
      { window: 4 },
      onStart,
    );
    const verdicts = await Promise.all(
      Array.from({ length: 100 }, (_, index) => ask(verifier, String(index))),
    );
    verdicts.forEach((verdict, index) => {
      expect(verdict).toMatchObject(score(index / 1000));
    });
    const most = verdicts.map((verdict) => (verdict.outcome === "scored" ? (verdict.parts?.most ?? 0) : 0));
    expect(Math.max(...most)).toBeGreaterThan(1);
    expect(Math.max(...most)).toBeLessThanOrEqual(4);
  });

  test("may have several processes", async () => {
    const verifier = commands.verifierOf(
      "setTimeout(() => reply({ id: r.id, score: 1, parts: { pid: process.pid } }), 20);",
      {
        workers: 2,
        window: 1,
      },
    );
    const verdicts = await Promise.all(Array.from({ length: 6 }, () => ask(verifier)));
    const processes = new Set(verdicts.map((verdict) => verdict.outcome === "scored" && verdict.parts?.pid));
    expect(processes.size).toBe(2);
  });

  test("may write as much to its standard error as it likes", async () => {
    const verifier = commands.verifierOf(`process.stderr.write("x".repeat(2 ** 22), () => { ${equal} });`);
    expect(await ask(verifier)).toEqual(score(1));
  });

  test("is given long texts and long lines that are replies", async () => {
    const verifier = commands.verifierOf(
      "reply({ id: r.id, score: r.response.length === 3e6, note: 'x'.repeat(1e6) });",
    );
    expect(await ask(verifier, "é".repeat(3e6))).toEqual(score(1));
  });

  test("may end after every answer", async () => {
    const verifier = commands.verifierOf(`${equal} process.exitCode = 0; process.stdin.destroy();`, {
      window: 4,
    });
    const verdicts = await Promise.all(Array.from({ length: 6 }, () => ask(verifier)));
    expect(verdicts).toEqual(Array(6).fill(score(1)));
  });

  test("may close its input after every answer, and go on without end", async () => {
    const idOf = `read -r line; id=\${line#*:}; id=\${id%%,*}`;
    const script = `${idOf}; exec <&-; echo "{\\"id\\": $id, \\"score\\": 1}"; exec sleep 600`;
    const verifier = commands.opened({ command: ["/bin/sh", "-c", script] });
    for (let repeat = 0; repeat < 3; repeat += 1) expect(await ask(verifier)).toEqual(score(1));
  });
});

describe("where a command runs", () => {
  const script = `${reply} require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => reply({ id: JSON.parse(line).id, score: 1 }));`;

  test("is the run's folder, unless it is said", async () => {
    const project = join(commands.folder, "project");
    await mkdir(project);
    await writeFile(join(project, "verify.cjs"), script);
    const verifier = commands.toClose(command({ command: [process.execPath, "verify.cjs"] }));
    verifier.open?.({ projectFolder: project });
    expect(await ask(verifier)).toEqual(score(1));
    const words = [process.execPath, "verify.cjs"];
    const config = join(project, "config.ts");
    await writeFile(config, "");
    for (const cwd of [project, pathToFileURL(project), pathToFileURL(config), pathToFileURL(config).href]) {
      const said = commands.opened({ command: words, cwd });
      said.open?.({ projectFolder: commands.folder });
      expect(await ask(said)).toEqual(score(1));
    }
    expect(
      await ask(commands.opened({ command: [process.execPath, pathToFileURL(join(project, "verify.cjs"))] })),
    ).toEqual(score(1));
  });

  test("does not define it, but what the files hold does", async () => {
    const [here, there] = [join(commands.folder, "here"), join(commands.folder, "there")];
    for (const place of [here, there]) {
      await mkdir(place);
      await writeFile(join(place, "verify.py"), "print(1)");
    }
    const described = (place: string): unknown => {
      const verifier = command({ command: ["python3", "verify.py"] });
      verifier.open?.({ projectFolder: place });
      return verifier.description;
    };
    const byUrl = command({ command: ["python3", pathToFileURL(join(here, "verify.py"))] });
    expect(described(here)).toEqual(described(there));
    expect(described(here)).toEqual(byUrl.description);
    expect(described(here)).toMatchObject({ command: `["python3","verify.py"]` });
    const before = described(there);
    await writeFile(join(there, "verify.py"), "print(2)");
    expect(described(there)).not.toEqual(before);
  });
});

test.each([
  [{ command: [] }, /option "command"/],
  [{ command: ["x"], timeout: 5 }, /no option "timeout"; did you mean "timeoutMs"/],
  [{ command: ["x"], timeoutMs: 0 }, /option "timeoutMs"/],
  [{ command: ["x"], workers: 1.5 }, /option "workers"/],
])("wrong options are refused: %j", (options, message) => {
  expect(() => command(options as CommandOptions)).toThrow(message);
});
