#!/usr/bin/env node
// Written so that even a very old Node parses it and can say what is wrong: no top-level await, `?.` or `node:` names.
const found = process.versions.node;
const [major, minor] = found.split(".").map(Number);
// The config file is TypeScript that Node itself loads: by default from 22.18 and, in the line after it, from 23.6.
const supported = major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);

const launcherName = "WHETSTONE_LAUNCHER";

if (supported) start();
else restart();

function start() {
  silenceExpectedWarnings();
  endWithLauncher();
  const main = new URL("../dist/surface/cli/main.js", import.meta.url);
  void Promise.all([import("fs"), import("module")]).then(function (modules) {
    // What Node has compiled of these files once it need not compile again.
    modules[1].enableCompileCache();
    if (modules[0].existsSync(main)) return import(main.href);
    return refuse("Whetstone is not built yet (dist/ is missing): run `npm run build` in its folder.");
  });
}

/**
 * On Linux the package brings a newer Node along, which npx and npm scripts find by themselves; whoever starts this file
 * directly is given it here.
 */
function restart() {
  void Promise.all([import("child_process"), import("module")]).then(function (modules) {
    let newer;
    try {
      const name = "node-" + process.platform + "-" + process.arch + "/bin/node";
      newer = modules[1].createRequire(import.meta.url).resolve(name);
    } catch (_missing) {
      return refuse(
        "Whetstone needs Node 22.18 or newer and this is Node " +
          found +
          ": install Node 24, or install whetstone where optional packages are not left out; " +
          "on Linux they bring Node 24 along.",
      );
    }
    const env = Object.assign({}, process.env);
    env[launcherName] = String(process.pid);
    const child = modules[0].spawn(newer, process.argv.slice(1), { stdio: "inherit", env: env });
    // A terminal sends Ctrl-C to both; what is sent to this process alone is handed on.
    const handOn = ["SIGINT", "SIGTERM", "SIGHUP"].map(function (signal) {
      const send = function () {
        child.kill(signal);
      };
      process.on(signal, send);
      return [signal, send];
    });
    child.on("error", function (error) {
      refuse("Whetstone cannot start the Node that came with it (" + error.message + "): install Node 24.");
    });
    child.on("exit", function (code, signal) {
      handOn.forEach(function (pair) {
        process.off(pair[0], pair[1]);
      });
      if (signal === null) process.exitCode = code;
      else process.kill(process.pid, signal);
    });
  });
}

/** Where who started this is killed without a word, nobody would hand on a signal any more: what runs ends as if one came. */
function endWithLauncher() {
  const launcher = Number(process.env[launcherName]);
  delete process.env[launcherName];
  if (launcher !== process.ppid) return;
  const watch = setInterval(function () {
    if (process.ppid === launcher) return;
    clearInterval(watch);
    process.kill(process.pid, "SIGTERM");
  }, 1000);
  watch.unref();
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
