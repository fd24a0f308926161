import { generateKeyPairSync } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { freshRun, pathOf, reusedRun } from "../src/loop/run/testing/promoted.ts";
import { run } from "../src/loop/run.ts";
import { jsonLines, root, temporaryFolder, whetstone } from "./cli-program.ts";

const promoted = join(root, "src/loop/run/testing/promoted.ts");
const configOf = (name: "freshRun" | "reusedRun"): string =>
  `import { ${name} } from ${JSON.stringify(promoted)};\nexport default ${name}(2);\n`;

let fresh: string;
let reused: string;
beforeAll(async () => {
  fresh = temporaryFolder(configOf("freshRun"));
  reused = temporaryFolder(configOf("reusedRun"));
  await run(freshRun(2), { folder: fresh });
  await run(reusedRun(2), { folder: reused });
}, 120_000);

const file = (name: string): string => pathOf(fresh, name);
const page = readFileSync(join(root, "docs/certificates.md"), "utf8");

interface Answered {
  readonly verdict: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly claims: readonly {
    readonly claim: string;
    readonly status: string;
    readonly contradictions: readonly { readonly field: string }[];
  }[];
}
const checked = (stdout: string): Answered => jsonLines(stdout)[0] as unknown as Answered;

describe("whetstone certificate", () => {
  test("show names the file of the newest promotion, and says what a check says", async () => {
    const said = await whetstone(["certificate", "show"], { folder: fresh });
    expect(said).toMatchObject({ code: 0, stderr: "" });
    expect(said.stdout).toContain(file("1-letters-round-2.json"));
    expect(said.stdout).toContain("Nothing contradicts it.");
    expect(said.stdout).toMatch(/TAKEN ON TRUST[\s\S]*seed-told-before-training/);
    const [first] = jsonLines((await whetstone(["certificate", "show", "1", fresh, "--json"])).stdout);
    expect(first).toMatchObject({ run: "1-letters", round: 1, path: file("1-letters-round-1.json") });
    expect((await whetstone(["certificate", "show", fresh])).stdout).toContain("round 2 of 1-letters");
    const none = await whetstone(["certificate", "show", "7"], { folder: fresh });
    expect(none.code).toBe(3);
    expect(none.stderr).toMatch(/1-letters has no round 7: it has played 2 rounds\./);
  });

  test("check answers as docs/certificates.md says, and ends with 6 where something is forged", async () => {
    const folder = temporaryFolder();
    const given = join(folder, "given.json");
    copyFileSync(file("1-letters-round-2.json"), given);
    const whole = await whetstone(["certificate", "check", given, "--json"], { folder });
    expect(whole.code).toBe(0);
    const answered = checked(whole.stdout);
    expect(answered.verdict).toBe("holds");
    const [members = "", names = ""] = [
      /## `certificate check --json`\n([\s\S]*?)\nClaims:/,
      /\nClaims: ([\s\S]*?)\.\n/,
    ].map((section) => section.exec(page)?.[1] ?? "");
    const rows = [...members.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(
      ([, cell = ""]) => cell.match(/\w+/g) ?? [],
    );
    expect(rows.sort()).toEqual(Object.keys(answered).sort());
    const told = [...names.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name);
    for (const { claim } of answered.claims) expect(told).toContain(claim);
    writeFileSync(given, readFileSync(given, "utf8").replace('"round": 2', '"round": 3'));
    const forged = await whetstone(["certificate", "check", given, "--json"], { folder });
    expect(forged.code).toBe(6);
    expect(checked(forged.stdout).verdict).toBe("contradicted");
    const words = await whetstone(["certificate", "check", given], { folder });
    expect(words.code).toBe(6);
    expect(words.stdout).toMatch(
      /It is contradicted: do not rely on it\.[\s\S]*decided\.run\.round is not what its seal says/,
    );
  });

  test("check --replay measures again with the folder's config", async () => {
    const said = await whetstone(
      ["certificate", "check", file("1-letters-round-2.json"), "--replay", "--json"],
      {
        folder: fresh,
      },
    );
    expect(said.code).toBe(0);
    const { verdict, claims } = checked(said.stdout);
    expect(verdict).toBe("holds");
    const names = /with `--replay` also\n([\s\S]*?)\.\n/.exec(page)?.[1] ?? "";
    const replayed = claims.filter(({ claim }) => claim.startsWith("replay"));
    expect(replayed.map(({ claim }) => claim)).toEqual(
      [...names.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name),
    );
    expect(replayed.map(({ status }) => status)).toEqual(["verified", "verified", "verified"]);
    const bare = await whetstone(["certificate", "check", file("1-letters-round-2.json"), "--weights", "x"]);
    expect(bare).toMatchObject({ code: 3 });
    expect(bare.stderr).toMatch(/--folder and --weights are for --replay/);
    const unknown = await whetstone(["certificate", "check", file("1-letters-round-2.json"), "--replya"]);
    expect(unknown.stderr).toMatch(/There is no flag --replya; did you mean --replay\?/);
  });

  test("sign and check --public-key", async () => {
    const folder = temporaryFolder();
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    writeFileSync(join(folder, "key.pem"), privateKey.export({ format: "pem", type: "pkcs8" }));
    writeFileSync(join(folder, "public.pem"), publicKey.export({ format: "pem", type: "spki" }));
    copyFileSync(file("1-letters-round-1.json"), join(folder, "mine.json"));
    const unsigned = await whetstone(["certificate", "check", "mine.json", "--public-key", "public.pem"], {
      folder,
    });
    expect(unsigned.code).toBe(6);
    expect(
      (await whetstone(["certificate", "sign", "mine.json", "--key", "key.pem"], { folder })).stdout,
    ).toBe("Signed: the certificate of round 1 of 1-letters.\n");
    const signed = await whetstone(["certificate", "check", "mine.json", "--public-key", "public.pem"], {
      folder,
    });
    expect(signed.code).toBe(0);
    expect(signed.stdout).toContain("it is signed by the key that you gave");
    const keyless = await whetstone(["certificate", "sign", "mine.json"], { folder });
    expect(keyless).toMatchObject({ code: 3 });
    expect(keyless.stderr).toMatch(/--key is missing/);
  });

  test("open asks for a reason, says what it costs, and is on record", async () => {
    const path = pathOf(reused, "1-letters-round-1-opened.json");
    const silent = await whetstone(["certificate", "open", "1"], { folder: reused });
    expect(silent.code).toBe(3);
    expect(silent.stderr).toMatch(/--reason is missing/);
    expect(existsSync(path)).toBe(false);
    const said = await whetstone(["certificate", "open", "1", "--reason", "for a reviewer"], {
      folder: reused,
    });
    expect(said.code).toBe(0);
    expect(said.stdout).toMatch(/no promotion on the decision items of last letter@1 is bounded by α/);
    const opened = checked((await whetstone(["certificate", "check", path, "--json"])).stdout);
    expect(opened.claims.find(({ claim }) => claim === "bets")?.status).toBe("recomputed");
    const status = await whetstone(["status", "--json"], { folder: reused });
    expect(jsonLines(status.stdout)[0]).toMatchObject({
      story: { state: "finished", opened: [{ round: 1, opening: 1, reason: "for a reviewer" }] },
    });
    const unsealed = await whetstone(["certificate", "open", "1", "--reason", "none"], { folder: fresh });
    expect(unsealed.code).toBe(3);
    expect(unsealed.stderr).toMatch(/nothing is sealed/);
  });
});
