import type { RunStory } from "../story.ts";
import { duration } from "../words.ts";
import { displayWidth, padEnd } from "./display-width.ts";
import { fitLine, type Line, type Pen, printable, type Span, span } from "./paint.ts";
import type { ProgressView } from "./progress-timer.ts";

export interface BarsRequest {
  readonly story: RunStory;
  readonly progress: ProgressView | null;
  /** How much of all rounds is done, once a round has shown how long one takes. */
  readonly overall: { readonly share: number; readonly remainingSeconds: number } | null;
  /** Cells that a line may take. */
  readonly width: number;
  readonly pen: Pen;
}

/** A bar in words: what, how far, and how long still, said at length or shortly. */
interface BarWords {
  readonly name: Span;
  readonly share: number | null;
  readonly time: string;
  readonly shortTime: string;
}

/** Where the round and its stage stand, below each other. */
export function bars({ story, progress, overall, width, pen }: BarsRequest): Line[] {
  const { current, facts, rounds } = story;
  const round = current?.round ?? rounds.at(-1)?.round ?? 0;
  const words: BarWords[] = [];
  if (facts !== null) {
    const name = span(round === 0 ? "preparation" : `round ${round} of ${facts.rounds}`, "strong");
    const time = duration(overall?.remainingSeconds ?? 0);
    words.push({ name, share: overall?.share ?? null, time: `about ${time} left in all`, shortTime: time });
  }
  const work = workWords(story, progress, pen);
  if (work !== "") words.push({ name: span(work), ...progressWords(progress) });
  return barLines(words, width, pen);
}

/** The same of the stage alone, in one line without a bar: for logs, where nothing is drawn again. */
export function progressLine({
  story,
  progress,
  pen,
}: Pick<BarsRequest, "story" | "progress" | "pen">): Line {
  const { share, time } = progressWords(progress);
  const round = story.current?.round ?? 0;
  const said = share === null ? [] : [`${Math.floor(100 * share)} %`, time];
  const name = round === 0 ? "preparation" : `round ${round}`;
  return [span([name, workWords(story, progress, pen), ...said].join("  "), "faint")];
}

function workWords({ current }: RunStory, progress: ProgressView | null, { glyphs }: Pen): string {
  const stage = current?.stage ?? progress?.stage ?? "";
  const label = progress?.label ?? current?.label ?? "";
  const loss = progress?.loss == null ? "" : `loss ${progress.loss.toPrecision(3)}`;
  return [stage, label === stage ? "" : label, loss].filter(Boolean).join(` ${glyphs.dot} `);
}

function progressWords(progress: ProgressView | null): Omit<BarWords, "name"> {
  if (progress?.long !== true) return { share: null, time: "", shortTime: "" };
  const { share, remainingSeconds, elapsedSeconds, stage } = progress;
  if (remainingSeconds === null)
    return { share, time: duration(elapsedSeconds), shortTime: duration(elapsedSeconds) };
  const left = duration(remainingSeconds);
  // The gate ends as soon as it knows: its cap says only how long it can take.
  return { share, time: `${stage === "decide" ? "at most " : ""}${left} left`, shortTime: left };
}

const longestBar = 40;
/** So long it still tells as much: beyond that words come first. */
const enoughBar = 16;
const shortestBar = 8;

/** Bars of one length below each other; as the terminal narrows, bars become as short as is enough, then words are cut, then bars. */
function barLines(words: readonly BarWords[], width: number, pen: Pen): Line[] {
  const names = words.map(({ name }) => displayWidth(printable(name.text, pen.glyphs)));
  const frame = pen.glyphs.barEnds.join("").length + 2;
  const barred = words.filter(({ share }) => share !== null);
  const roomFor = (times: readonly string[]): number =>
    width - frame - Math.max(0, ...times.map((time) => afterBar(1, time).length));
  const spare = roomFor(barred.map(({ time }) => time)) - enoughBar;
  const column = Math.min(Math.max(0, ...names), Math.max(Math.floor(width * 0.42), spare));
  const roomBeside = (times: readonly string[]): number => roomFor(times) - column;
  const short = roomBeside(barred.map(({ time }) => time)) < shortestBar;
  const timeOf = ({ time, shortTime }: BarWords): string => (short ? shortTime : time);
  const room = roomBeside(barred.map(timeOf));
  return words.map((word): Line => {
    if (word.share === null) return [word.name];
    const [name = word.name] = fitLine([word.name], column, pen);
    const bar = room < 4 ? [] : barOf(word.share, Math.min(longestBar, room), pen);
    const after = span(afterBar(word.share, timeOf(word)), "faint");
    return [{ ...name, text: padEnd(name.text, column) }, span("  "), ...bar, after];
  });
}

function afterBar(share: number, time: string): string {
  return `  ${`${Math.floor(100 * share)} %`.padStart(5)}  ${time}`;
}

function barOf(share: number, cells: number, { glyphs, colours }: Pen): Span[] {
  const full = Math.round(share * cells);
  const [open, close] = glyphs.barEnds;
  // A thin line reads better, but only colours tell its two parts apart.
  const [done, rest] = colours > 0 && glyphs.unicode ? ["━", "━"] : [glyphs.barFull, glyphs.barEmpty];
  return [
    span(open),
    span(done.repeat(full), "accent"),
    span(rest.repeat(cells - full), "faint"),
    span(close),
  ];
}
