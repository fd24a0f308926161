import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const [, table = ""] = read("ARCHITECTURE.md").split("## Where does a new … go?\n");
const rows = [...table.matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].flatMap(
  ([, what = "", to = "", named = ""]) =>
    what === "a new" || what.startsWith("---") ? [] : [{ what: what.trim(), to, named }],
);
/** What lies below src/ unless it is said otherwise. */
const fullPath = (path: string): string => (existsSync(join(root, path)) ? path : `src/${path}`);
const pathsIn = (cell: string): string[] =>
  [...cell.matchAll(/`((?:[\w-]+\/)+[\w.<>{},/-]*|[\w-]+\.ts)`/g)].map(([, path = ""]) => path);

test("the table says where a new thing goes", () => {
  expect(rows.map(({ what }) => what)).toEqual(expect.arrayContaining(["reward", "task", "guard", "device"]));
});

describe.each(rows)("a new $what", ({ to, named }) => {
  test("goes to a folder that is there, and is named in files that are", () => {
    for (const path of [...pathsIn(to), ...pathsIn(named)]) {
      const [folder = ""] = path.split(/[^/]*<|\{/);
      // A file that is named alone lies beside the one before it.
      if (!path.includes("/")) continue;
      expect({ path, there: existsSync(join(root, fullPath(folder))) }).toEqual({ path, there: true });
    }
  });

  test("is exported by that alone", () => {
    const rooms = pathsIn(named).filter(
      (path) => path.endsWith("/index.ts") && path !== "src/index.ts" && path !== "world/task/index.ts",
    );
    for (const room of rooms) {
      const whole = read("src/index.ts").includes(`export * from "./${room}"`);
      expect({ room, namedInSource: named.includes("`src/index.ts`") }).toEqual({
        room,
        namedInSource: !whole,
      });
    }
  });
});

test("the rooms that the page draws are the rooms that there are", () => {
  const [house = ""] = read("ARCHITECTURE.md").split("```\n").slice(1);
  const floors = [...house.matchAll(/│ (\w+)\/ /g)].map(([, floor]) => floor);
  const folders = readdirSync(join(root, "src"), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
  expect(floors.sort()).toEqual(folders.sort());
});
