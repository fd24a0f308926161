import type { TerminalStream } from "./abilities.ts";

interface Condition {
  open: boolean;
  /** Whoever reads is slower than we write. */
  full: boolean;
}

/** One set of listeners a stream, however many views it sees; it stays, because an EPIPE may come after the last write. */
const conditions = new WeakMap<TerminalStream, Condition>();

/** Writes to a stream that may close at any time (`| head`): then nothing is written any more, and nothing is thrown. */
export interface SafeWriter {
  readonly open: boolean;
  readonly full: boolean;
  write(text: string): void;
}

export function safeWriter(stream: TerminalStream): SafeWriter {
  const condition = conditionOf(stream);
  const isOpen = (): boolean => condition.open && stream.destroyed !== true && stream.writableEnded !== true;
  return {
    get open() {
      return isOpen();
    },
    get full() {
      return condition.full;
    },
    write(text) {
      if (!isOpen()) return;
      try {
        condition.full = stream.write(text) === false;
      } catch {
        condition.open = false;
      }
    },
  };
}

function conditionOf(stream: TerminalStream): Condition {
  const known = conditions.get(stream);
  if (known !== undefined) return known;
  const condition: Condition = { open: true, full: false };
  const close = (): void => {
    condition.open = false;
  };
  stream.on("error", close);
  stream.on("close", close);
  stream.on("drain", () => {
    condition.full = false;
  });
  conditions.set(stream, condition);
  return condition;
}
