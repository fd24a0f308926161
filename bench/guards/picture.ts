import type { MeterReading } from "whetstone";
import type { DrawnFault, FaultLine } from "./planted-fault.ts";
import type { Played } from "./play.ts";

const width = 730;
const height = 330;
const panel = { width: 300, height: 200, top: 66 };
const lefts = [46, 392] as const;
const colours = ["#1f6feb", "#b35900", "#2d7d46"] as const;

/** A fault over its rounds, without guards and with them, as an SVG of its own colours. */
export function picture(fault: DrawnFault, bare: Played, guarded: Played): string {
  const rounds = bare.rounds.length;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="${fault.name}, without guards and with them">
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="16" y="26" font-size="16" font-weight="600" fill="#1b1f24">${capital(fault.name)}</text>
${panelOf(fault, bare, { left: lefts[0], title: "without guards", rounds })}
${panelOf(fault, guarded, { left: lefts[1], title: "with guards", rounds })}
${fault.lines.map((line, index) => legendOf(line, index)).join("\n")}
</svg>
`;
}

interface Place {
  readonly left: number;
  readonly title: string;
  /** As many as both panels have. */
  readonly rounds: number;
}

function panelOf(fault: DrawnFault, played: Played, { left, title, rounds }: Place): string {
  const bottom = panel.top + panel.height;
  const x = (round: number): number => left + (round / Math.max(1, rounds)) * panel.width;
  const y = (value: number): number => bottom - Math.max(0, Math.min(1, value)) * panel.height;
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (value) =>
      `<line x1="${left}" x2="${left + panel.width}" y1="${at(y(value))}" y2="${at(y(value))}" stroke="#e3e6ea"/><text x="${left - 8}" y="${at(y(value) + 4)}" text-anchor="end" fill="#57606a">${value}</text>`,
  );
  const ticks = Array.from(
    { length: rounds + 1 },
    (_, round) =>
      `<text x="${at(x(round))}" y="${bottom + 18}" text-anchor="middle" fill="#57606a">${round === 0 ? "base" : round}</text>`,
  );
  const acted = played.rounds.flatMap(({ round, findings }) => {
    const acting = findings.filter(({ answer }) => answer === "stop" || answer === "roll-back");
    return acting.length === 0 ? [] : [{ round, acting }];
  });
  const first = acted[0];
  const said =
    first === undefined
      ? ""
      : `<text x="${left + panel.width}" y="26" text-anchor="end" fill="#c0392b">${first.acting[0]?.answer === "stop" ? "stopped" : "rolled back"} in round ${first.round}: ${first.acting[0]?.guard ?? ""}</text>`;
  const marks = acted.map(
    ({ round }) =>
      `<line x1="${at(x(round))}" x2="${at(x(round))}" y1="${panel.top - 4}" y2="${bottom}" stroke="#c0392b" stroke-dasharray="4 3"/>`,
  );
  const lines = fault.lines.map((line, index) => lineOf(line, index, played, x, y));
  return `<text x="${left}" y="${panel.top - 14}" font-weight="600" fill="#1b1f24">${title}</text>${said}
${grid.join("")}${ticks.join("")}
${marks.join("\n")}
${lines.join("\n")}`;
}

function lineOf(
  { meter, whole = 1 }: FaultLine,
  index: number,
  { base, rounds }: Played,
  x: (round: number) => number,
  y: (value: number) => number,
): string {
  const value = (readings: readonly MeterReading[]): number | null =>
    readings.find((one) => one.meter === meter)?.value ?? null;
  const all = [
    { round: 0, value: value(base), promoted: false },
    ...rounds.map((one) => ({ round: one.round, value: value(one.readings), promoted: one.promoted })),
  ];
  const known = all.flatMap((one) =>
    one.value === null ? [] : [{ ...one, place: [at(x(one.round)), at(y(one.value / whole))] as const }],
  );
  const colour = colours[index] ?? "#000";
  const path = known.map(({ place }, order) => `${order === 0 ? "M" : "L"}${place.join(" ")}`).join("");
  const dots = known.map(
    ({ place: [cx, cy], promoted }) =>
      `<circle cx="${cx}" cy="${cy}" r="4" stroke="${colour}" stroke-width="2" fill="${promoted ? colour : "#fff"}"/>`,
  );
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join("")}`;
}

function legendOf({ label }: FaultLine, index: number): string {
  const x = 46 + index * 210;
  return `<line x1="${x}" x2="${x + 22}" y1="${height - 16}" y2="${height - 16}" stroke="${colours[index]}" stroke-width="3"/><text x="${x + 30}" y="${height - 12}" fill="#1b1f24">${label}</text>`;
}

/** Coordinates with a tenth of a pixel. */
function at(value: number): number {
  return Math.round(value * 10) / 10;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
