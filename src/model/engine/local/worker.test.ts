import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "whetstone-worker-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const moduleAt = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);

/** Stands in for Python: answers every verb at once, and then takes its time to end. */
const slowToEnd = `
import { Socket } from "node:net";
import { encodeFrame, FrameReader } from ${moduleAt("./frames.ts")};
const socket = new Socket({ fd: 3 });
const reader = new FrameReader();
socket.on("data", (piece) => {
  for (const { head } of reader.push(piece))
    socket.write(encodeFrame({ id: head.id, ok: true, incarnation: "one", busySeconds: 0 }));
});
setTimeout(() => {}, 60_000);
`;

const program = (python: string): string => `
import { openSync } from "node:fs";
import { Worker } from ${moduleAt("./worker.ts")};
const path = ${JSON.stringify(join(folder, "log"))};
const worker = await Worker.start({
  python: ${JSON.stringify(python)},
  packageFolder: ${JSON.stringify(folder)},
  threads: 1,
  log: { path, descriptor: openSync(path, "a") },
  environment: process.env,
});
await worker[Symbol.asyncDispose]();
console.log("closed");
`;

test("a program that waits for an answer is told that its worker died, and does not just end", async () => {
  const [script, python, main] = ["mortal.mjs", "mortal", "waits.mjs"].map((name) => join(folder, name));
  const diesAtOnce = slowToEnd.replace(
    "socket.write(",
    'head.verb === "stats" ? process.exit(3) : socket.write(',
  );
  writeFileSync(script as string, diesAtOnce);
  writeFileSync(python as string, `#!/bin/sh\nexec ${process.execPath} ${script}\n`);
  chmodSync(python as string, 0o755);
  const asks = `await worker.call("stats", {}).catch(({ code }) => console.log(code));`;
  writeFileSync(main as string, program(python as string).replace("await worker[", `${asks}\nawait worker[`));
  const { stdout } = await promisify(execFile)(process.execPath, [main as string]);
  expect(stdout).toBe("worker-died\nclosed\n");
}, 30_000);

test("a program waits for the end of its worker, however long that takes after the last answer", async () => {
  const [script, python, main] = ["fake.mjs", "python", "main.mjs"].map((name) => join(folder, name));
  writeFileSync(script as string, slowToEnd);
  writeFileSync(python as string, `#!/bin/sh\nexec ${process.execPath} ${script}\n`);
  chmodSync(python as string, 0o755);
  writeFileSync(main as string, program(python as string));
  const { stdout } = await promisify(execFile)(process.execPath, [main as string]);
  expect(stdout).toBe("closed\n");
}, 30_000);
