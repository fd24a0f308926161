import type { Measurement } from "../../../foundation/contract/index.ts";
import { heatMapOf } from "../heat-map.ts";
import { isOrdered } from "../kinds.ts";
import type { RunStory } from "../story.ts";
import { frontierWord, outcomeOf, percent } from "../words.ts";
import { type BarsRequest, bars } from "./bars.ts";
import { heatLines } from "./heat-lines.ts";
import { fitLine, type Line, lineWidth, type Pen, span } from "./paint.ts";

export interface FrameRequest extends BarsRequest {
  /** Nothing more will come: the picture stays, the bars go. */
  readonly last: boolean;
  readonly height: number;
}

/** The part of the screen that is drawn again and again: heat map, where the run stands, bars. Fitted to the size. */
export function frameOf(request: FrameRequest): Line[] {
  const { story, width, height, pen, last } = request;
  const below = [...standing(story, width, pen), ...(last ? [] : bars(request))].filter(
    (line) => line.length > 0,
  );
  // On a low terminal rows of the picture are worth more than space around it.
  const space: Line[] = height < 16 ? [] : [[]];
  const heat = pictureOf(story, width, height - below.length - 2 * space.length - 2, pen);
  const fitted = below.map((line) => fitLine(line, width, pen));
  const lines = heat.length === 0 ? fitted : [...space, ...heat, ...space, ...fitted];
  return lines.slice(-Math.max(1, height));
}

interface Picture {
  readonly key: string;
  readonly lines: readonly Line[];
}

const pictures = new WeakMap<RunStory, Picture>();

/** The heat map, fitted. A story does not change, so its picture is made once a size and not for each step of a bar. */
function pictureOf(story: RunStory, width: number, most: number, pen: Pen): readonly Line[] {
  const key = `${width} ${most} ${pen.colours} ${pen.glyphs.unicode}`;
  const known = pictures.get(story);
  if (known?.key === key) return known.lines;
  const lines = heatLines(heatMapOf(story), width, most, pen).map((line) => fitLine(line, width, pen));
  pictures.set(story, { key, lines });
  return lines;
}

/** `frontier: length 12 (base: 9) · champion: round 5 · 4 promoted, 2 rejected`, of kinds the accuracy for the frontier; on two lines where one is too short. */
function standing(
  { preparation, rounds, champion, facts }: RunStory,
  width: number,
  { glyphs }: Pen,
): Line[] {
  const base = preparation?.validation;
  const latest = rounds.findLast(({ validation }) => validation !== null)?.validation ?? base;
  if (latest == null) return [];
  const outcomes = rounds.map(outcomeOf);
  const counts = (["promoted", "rejected", "rolled-back", "observed"] as const).flatMap((outcome) => {
    const count = outcomes.filter((one) => one === outcome).length;
    return count === 0 ? [] : [`${count} ${outcome === "rolled-back" ? "rolled back" : outcome}`];
  });
  const separator = ` ${glyphs.dot} `;
  const ordered = isOrdered(facts);
  const reached = ({ mean, frontier90 }: Measurement): string =>
    ordered ? frontierWord(frontier90) : percent(mean);
  const from = base != null && latest !== base ? ` (base: ${reached(base)})` : "";
  const frontier: Line = [
    span(ordered ? `frontier: ${facts === null ? "" : `${facts.unit} `}` : "accuracy: "),
    span(reached(latest), "strong"),
    span(from, "faint"),
  ];
  const who = champion.round === 0 ? "base" : `round ${champion.round}`;
  const rest: Line = [span(`champion: ${who}${counts.length === 0 ? "" : separator}${counts.join(", ")}`)];
  const whole = [...frontier, span(separator), ...rest];
  return lineWidth(whole) <= width ? [whole] : [frontier, rest];
}
