import type { Progress, StoredEvent } from "../../../foundation/contract/index.ts";
import { storyListener } from "../tell-run.ts";
import type { TerminalStream } from "./abilities.ts";
import { fitLine, type Line, type Pen, paintLine, span } from "./paint.ts";
import { safeWriter } from "./safe-writer.ts";
import { linesFor } from "./sayings.ts";
import type { TerminalView } from "./view.ts";

export interface PlainViewOptions {
  readonly stream: TerminalStream;
  readonly pen: Pen;
}

/** Lines only: one for each stage that ends, each decision and each round. For pipes, logs and dumb terminals. */
export function plainView({ stream, pen }: PlainViewOptions): TerminalView {
  const writer = safeWriter(stream);
  const listener = storyListener();
  const width = Number.POSITIVE_INFINITY;
  let step = "";
  let closed = false;
  const say = (line: Line): void => writer.write(`${paintLine(fitLine(line, width, pen), pen)}\n`);

  return {
    watch(event: StoredEvent | Progress) {
      if (closed) return;
      if ("type" in event) {
        if (event.stage !== "set-up" && event.stage !== "engine") return;
        // Set-up tells its time and its downloads behind the dot; one line a step is enough here.
        const [name = ""] = event.label.split(" · ");
        const told = `${event.stage}  ${name}`;
        if (told !== step) say([span(told)]);
        step = told;
        return;
      }
      listener.hear(event);
      for (const line of linesFor(event, listener.story(), { pen, width, detail: "stages" })) say(line);
    },
    recall(events) {
      for (const event of events) listener.hear(event);
    },
    note(text) {
      for (const line of text.split("\n")) say([span(line)]);
    },
    [Symbol.dispose]() {
      closed = true;
    },
  };
}
