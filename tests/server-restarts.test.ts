import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { RunEvent } from "../src/foundation/contract/index.ts";
import { promotingRun } from "../src/loop/run/testing/last-letter.ts";
import { type RunResult, run } from "../src/loop/run.ts";
import { tiny } from "../src/model/engine/index.ts";
import { modelName } from "../src/model/engine/serve/testing/wire-client.ts";
import { tinker } from "../src/model/engine/tinker/index.ts";
import { fromFolder } from "../src/model/hub/index.ts";
import { Restarting } from "./restarting-server.ts";

const root = mkdtempSync(join(tmpdir(), "server-restarts-"));
afterAll(() => rmSync(root, { recursive: true }));

/** What a run came to, without what tells of the way. */
const lasting = ({ events }: RunResult): RunEvent[] =>
  events.flatMap(({ event }) =>
    ["validation-measured", "decision-made", "audit-measured"].includes(event.type) ? [event] : [],
  );

test("a run whose server is started again while it learns, and while it samples, comes to the same end", {
  timeout: 120_000,
}, async () => {
  const characters = "0123456789=";
  const { path } = await tiny({ layers: 1, width: 16 }).prepare(root, { characters, projectFolder: root });
  const play = async (restartAt: readonly string[]): Promise<RunResult> => {
    await using server = await Restarting.begin({ model: path });
    const left = [...restartAt];
    let restarting = Promise.resolve();
    const definition = promotingRun(1, {
      engine: tinker({ baseUrl: server.url, apiKey: "k", model: modelName }),
      model: fromFolder(path),
    });
    const result = await run(definition, {
      folder: mkdtempSync(join(root, "run-")),
      watch: (event) => {
        if ("event" in event || event.label !== left[0]) return;
        left.shift();
        restarting = server.again();
      },
    });
    await restarting;
    expect(left).toEqual([]);
    return result;
  };
  const calm = await play([]);
  const restless = await play(["train", "answer decision items"]);
  expect(lasting(restless)).toEqual(lasting(calm));
  const recovered = restless.events.flatMap(({ event }) =>
    event.type === "engine-recovered" ? [event] : [],
  );
  expect(recovered.length).toBeGreaterThanOrEqual(2);
  expect(new Set(recovered.map(({ reason }) => reason))).toEqual(new Set(["session-lost"]));
});
