#!/usr/bin/env node
// Written so that even a very old Node parses it and can say what is wrong: no top-level await, `?.` or `node:` names.
const found = process.versions.node;
const [major, minor] = found.split(".").map(Number);
// The config file is TypeScript that Node itself loads: by default from 22.18 and, in the line after it, from 23.6.
const supported = major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);

if (supported) start();
else
  refuse(
    "Whetstone needs Node 22.18 or newer and this is Node " +
      found +
      ": run it as `npx whetstone` (or from an npm script) in a folder where whetstone is installed, " +
      "which brings Node 24 along on Linux, or install Node 24.",
  );

function start() {
  silenceExpectedWarnings();
  const main = new URL("../dist/surface/cli/main.js", import.meta.url);
  void import("fs").then(function (fs) {
    if (fs.existsSync(main)) return import(main.href);
    return refuse("Whetstone is not built yet (dist/ is missing): run `npm run build` in its folder.");
  });
}

/** Exit code 2 is "this machine is not ready" everywhere in the CLI. */
function refuse(sentence) {
  process.stderr.write(sentence + "\n");
  process.exitCode = 2;
}

/**
 * The ledger and the config file are built on two features that some of the supported Nodes still call experimental,
 * and a config file in a folder whose package.json names no module type is normal. Every other warning is shown.
 */
function silenceExpectedWarnings() {
  const emitWarning = process.emitWarning;
  process.emitWarning = function (warning, options, code) {
    const named = typeof options === "object" && options !== null ? options : { type: options, code: code };
    const text = String(warning);
    if (named.type === "ExperimentalWarning" && /SQLite|Type Stripping/i.test(text)) return;
    if (named.code === "MODULE_TYPELESS_PACKAGE_JSON" || /^Module type of file /.test(text)) return;
    emitWarning.apply(process, arguments);
  };
}
