import type { Clock } from "../../../foundation/base/index.ts";
import type { Progress, StoredEvent } from "../../../foundation/contract/index.ts";
import { storyListener } from "../tell-run.ts";
import type { TerminalStream } from "./abilities.ts";
import { progressLine } from "./bars.ts";
import { fitLine, type Line, type Pen, paintLine, span } from "./paint.ts";
import { progressTimer } from "./progress-timer.ts";
import { safeWriter } from "./safe-writer.ts";
import { linesFor } from "./sayings.ts";
import type { TerminalView } from "./view.ts";

/** After so long without a line, one says how far the work is: a log in which nothing moves looks like a run that hangs. */
const silenceMs = 60_000;

export interface PlainViewOptions {
  readonly stream: TerminalStream;
  readonly clock: Clock;
  readonly pen: Pen;
}

/** Lines only: one for each stage that ends, each decision and each round. For pipes, logs and dumb terminals. */
export function plainView({ stream, clock, pen }: PlainViewOptions): TerminalView {
  const writer = safeWriter(stream);
  const listener = storyListener();
  const width = Number.POSITIVE_INFINITY;
  const timer = progressTimer();
  let step = "";
  let saidAt = clock.monotonic();
  let closed = false;
  const say = (line: Line): void => {
    saidAt = clock.monotonic();
    writer.write(`${paintLine(fitLine(line, width, pen), pen)}\n`);
  };

  return {
    watch(event: StoredEvent | Progress) {
      if (closed) return;
      if ("type" in event) {
        const now = clock.monotonic();
        timer.hear(event, now);
        if (event.stage !== "set-up" && event.stage !== "engine") {
          if (now - saidAt >= silenceMs)
            say(progressLine({ story: listener.story(), progress: timer.view(now), pen }));
          return;
        }
        // Set-up tells its time and its downloads behind the dot; one line a step is enough here.
        const [name = ""] = event.label.split(" · ");
        const told = `${event.stage}  ${name}`;
        if (told !== step) say([span(told)]);
        step = told;
        return;
      }
      listener.hear(event);
      if (/^(stage|round)-/.test(event.event.type)) timer.forget();
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
