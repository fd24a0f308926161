import { open } from "node:fs/promises";

/** A file of weights in safetensors begins with the length of a JSON head, which names each tensor's type. */
const lengthBytes = 8;
const longestHead = 2 ** 26;

/** What `transformers` calls the type that a file's weights are stored in; 32-bit floats where it says none. */
export async function storedType(path: string): Promise<"float32" | "bfloat16"> {
  const file = await open(path);
  try {
    const length = Buffer.alloc(lengthBytes);
    const { bytesRead } = await file.read(length, 0, lengthBytes, 0);
    const headBytes = bytesRead < lengthBytes ? 0 : Number(length.readBigUInt64LE());
    if (headBytes === 0 || headBytes > longestHead) return "float32";
    const head = Buffer.alloc(headBytes);
    await file.read(head, 0, headBytes, lengthBytes);
    return /"dtype"\s*:\s*"BF16"/.test(head.toString("utf8")) ? "bfloat16" : "float32";
  } finally {
    await file.close();
  }
}
