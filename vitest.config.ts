import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { censusReporter } from "./scripts/test-census.ts";

const censusPath = process.env.WHETSTONE_TEST_CENSUS;

export default defineConfig({
  resolve: {
    // Tests see the sources even where an example or a bench imports the package by its name.
    alias: [
      { find: /^whetstone$/, replacement: fileURLToPath(new URL("src/index.ts", import.meta.url)) },
      {
        find: /^whetstone\/testing$/,
        replacement: fileURLToPath(new URL("src/testing.ts", import.meta.url)),
      },
    ],
  },
  test: {
    projects: [
      // Tests of single parts share what they load, which takes longer than they do.
      { extends: true, test: { name: "src", include: ["src/**/*.test.ts"], isolate: false } },
      // Tests of the whole set their runner's own limits, and leave processes to be cleared.
      { extends: true, test: { name: "tests", include: ["tests/**/*.test.ts"] } },
    ],
    // Tests start hundreds of processes of these sources: what Node has compiled once it need not compile again.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/compile", import.meta.url)) },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    allowOnly: false,
    // Most of the long tests wait for processes of their own.
    maxWorkers: "100%",
    setupFiles: ["scripts/test-setup.ts"],
    execArgv: ["--disable-warning=ExperimentalWarning"],
    reporters: ["default", ...(censusPath === undefined ? [] : [censusReporter(censusPath)])],
    coverage: { provider: "v8", include: ["src/**/*.ts"], reportsDirectory: "coverage" },
  },
});
