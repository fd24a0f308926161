import { expect, test } from "vitest";
import { Futures } from "./futures.ts";
import { protobufReply } from "./reply.ts";

test("answers that were read are let go of by their age, or sooner where they take much room", async () => {
  let now = 0;
  const clock = { now: () => now, monotonic: () => now };
  const futures = new Futures({ clock, keepMs: 600_000, keepBytes: 250, onFault: () => undefined });
  const never = new AbortController().signal;
  const read = (id: string) => futures.wait(id, 0, never);
  for (const id of ["a", "b", "c", "unread"]) {
    futures.begin(id, "session", "", async () => protobufReply(new Uint8Array(100)));
    await new Promise(setImmediate);
    if (id !== "unread") await read(id);
  }
  const kept = () => ["a", "b", "c", "unread"].filter((id) => futures.fingerprint(id) !== undefined);
  futures.sweep();
  expect(kept()).toEqual(["a", "b", "c", "unread"]);
  // Who lost an answer has asked again by now.
  now = 61_000;
  futures.sweep();
  expect(kept()).toEqual(["b", "c", "unread"]);
  now = 601_000;
  futures.sweep();
  expect(kept()).toEqual(["unread"]);
});
