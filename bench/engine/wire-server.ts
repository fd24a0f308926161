/** Our server over the tabular engine, and beside it one that only answers: both of one process, as `wire.ts` compares them. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { serveTinker, tabular } from "whetstone";

const folder = process.argv[2] as string;
await using engine = await tabular().open({ logFolder: folder });
await using server = await serveTinker({
  engine,
  models: { "org/tiny": join(import.meta.dirname, "../../examples/models/tiny") },
  stateFolder: join(folder, "state"),
  key: "tml-k",
});
const answer = JSON.stringify({ type: "session_heartbeat" });
const bare = createServer({ noDelay: true }, (request, response) => {
  request.resume().on("end", () => {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": answer.length });
    response.end(answer);
  });
}).listen(0, "127.0.0.1");
await new Promise((resolve) => bare.once("listening", resolve));
process.stdout.write(
  `${JSON.stringify({ ours: server.url, bare: `http://127.0.0.1:${(bare.address() as AddressInfo).port}` })}\n`,
);
// The parent ends it by closing its input.
await new Promise((resolve) => process.stdin.resume().once("end", resolve));
bare.closeAllConnections();
bare.close();
