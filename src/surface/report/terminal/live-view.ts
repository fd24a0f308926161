import type { Clock } from "../../../foundation/base/index.ts";
import type { Progress, StoredEvent } from "../../../foundation/contract/index.ts";
import type { RunStory } from "../story.ts";
import { storyListener } from "../tell-run.ts";
import type { TerminalStream } from "./abilities.ts";
import { frameOf } from "./frame.ts";
import { type Line, type Pen, span } from "./paint.ts";
import { progressTimer } from "./progress-timer.ts";
import { linesFor } from "./sayings.ts";
import { openScreen } from "./screen.ts";
import type { TerminalView } from "./view.ts";

/** At most ten frames a second. */
const frameMs = 100;
/** Remaining time moves on also where nothing is heard. */
const idleMs = 1000;
/** Rounds that the remaining time is told from. */
const recentRounds = 3;

export interface LiveViewOptions {
  readonly stream: TerminalStream;
  readonly clock: Clock;
  readonly pen: Pen;
}

/** Draws where the run stands in place, and lets a line or two of each round last above it. */
export function liveView({ stream, clock, pen }: LiveViewOptions): TerminalView {
  const screen = openScreen(stream, pen);
  const listener = storyListener();
  const timer = progressTimer();
  let story = listener.story();
  let lasting: Line[] = [];
  let dirty = false;
  let closed = false;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let roundBegun = clock.monotonic();

  const draw = (last = false): void => {
    const now = clock.monotonic();
    const frame = frameOf({
      story,
      progress: timer.view(now),
      overall: overallOf(story, (now - roundBegun) / 1000),
      last,
      width: screen.width,
      height: screen.height,
      pen,
    });
    screen.draw(lasting, frame);
    lasting = [];
    dirty = false;
    drawnAt = now;
  };
  const drawIfDue = (): void => {
    const since = clock.monotonic() - drawnAt;
    if (closed || screen.full) return;
    if ((dirty && since >= frameMs) || since >= idleMs) draw();
  };
  const redraw = (): void => {
    if (!closed) draw();
  };
  const ticking = setInterval(drawIfDue, frameMs);
  ticking.unref();
  stream.on("resize", redraw);

  return {
    watch(event: StoredEvent | Progress) {
      if (closed) return;
      if ("type" in event) timer.hear(event, clock.monotonic());
      else {
        listener.hear(event);
        story = listener.story();
        if (/^(stage|round)-/.test(event.event.type)) timer.forget();
        if (event.event.type === "round-started") roundBegun = clock.monotonic();
        lasting.push(...linesFor(event, story, { pen, width: screen.width, detail: "rounds" }));
      }
      dirty = true;
      drawIfDue();
    },
    recall(events) {
      for (const event of events) listener.hear(event);
      story = listener.story();
      dirty = true;
    },
    note(text) {
      lasting.push(...text.split("\n").map((line) => [span(line)]));
      if (!closed) draw();
    },
    [Symbol.dispose]() {
      if (closed) return;
      closed = true;
      clearInterval(ticking);
      stream.off("resize", redraw);
      try {
        draw(true);
      } finally {
        screen[Symbol.dispose]();
      }
    },
  };
}

/** All rounds of the budget, as long as the last ones were. */
function overallOf(
  { rounds, facts }: RunStory,
  sinceRoundBegan: number,
): { readonly share: number; readonly remainingSeconds: number } | null {
  const finished = rounds.filter((round) => round.finished);
  const recent = finished.slice(-recentRounds).flatMap(({ seconds }) => (seconds === null ? [] : [seconds]));
  if (facts === null || recent.length === 0) return null;
  const usual = recent.reduce((sum, seconds) => sum + seconds, 0) / recent.length;
  const left = facts.rounds - finished.length;
  if (left <= 0) return null;
  const going = finished.length < rounds.length ? Math.min(1, sinceRoundBegan / usual) : 0;
  return {
    share: Math.min(1, (finished.length + going) / Math.max(1, facts.rounds)),
    remainingSeconds: Math.max(0, left - going) * usual,
  };
}
