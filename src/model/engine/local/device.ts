import { existsSync } from "node:fs";

/** What a worker is asked to compute on; `auto` is a GPU where PyTorch sees one, and the CPU where it sees none. */
export type Device = "auto" | "cpu" | "cuda";

/** What NVIDIA's driver puts there: on Linux itself, and inside Windows. */
const drivers = ["/dev/nvidiactl", "/dev/dxg"];

/** With `auto`, the CPU where no driver says that there is a GPU: nothing then waits for a worker's word. */
export function deviceToAsk(
  wanted: Device,
  exists: (path: string) => boolean = (path) => existsSync(path),
): Device {
  return wanted === "auto" && !drivers.some(exists) ? "cpu" : wanted;
}
