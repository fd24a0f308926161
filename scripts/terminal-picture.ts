/**
 * Draws what a terminal shows as an SVG: `tmux capture-pane -ep | node scripts/terminal-picture.ts "title" > docs/demo.svg`.
 * Reads lines with colours (SGR sequences) from standard input.
 */
import { readFileSync } from "node:fs";

const title = process.argv[2] ?? "terminal";
const cell = { width: 8.4, height: 18 };
const margin = 16;
const ground = "#14171c";
const ink = "#d7dce2";
const basic = ["#2b3038", "#e06c75", "#7fc08a", "#d9b26a", "#6aa5e8", "#c48be0", "#66c2cd", "#d7dce2"];
const bright = ["#6b7480", "#f08a92", "#a2dba9", "#f0cd8a", "#93c3f5", "#dcaef0", "#93dde6", "#ffffff"];

interface Style {
  readonly colour?: string | undefined;
  readonly behind?: string | undefined;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly inverse?: boolean;
}

interface Run {
  readonly text: string;
  readonly style: Style;
}

const lines = readFileSync(0, "utf8").replace(/\n+$/, "").split("\n").map(readLine);
const columns = Math.max(...lines.map((line) => line.reduce((sum, { text }) => sum + [...text].length, 0)));
const width = Math.ceil(columns * cell.width + 2 * margin);
const height = Math.ceil(lines.length * cell.height + 2 * margin);
process.stdout.write(
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${quoted(title)}">
<title>${quoted(title)}</title>
<rect width="${width}" height="${height}" rx="10" fill="${ground}"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
${lines.map(drawLine).join("\n")}
</g>
</svg>
`,
);

function readLine(line: string): Run[] {
  const runs: Run[] = [];
  let style: Style = {};
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with an escape character
  for (const part of line.split(/(\u001b\[[0-9;]*m)/)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above
    const codes = /^\u001b\[([0-9;]*)m$/.exec(part)?.[1];
    if (codes !== undefined) style = restyle(style, codes === "" ? [0] : codes.split(";").map(Number));
    else if (part !== "") runs.push({ text: part, style });
  }
  return runs;
}

function restyle(style: Style, codes: readonly number[]): Style {
  let current = style;
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index] ?? 0;
    if (code === 0) current = {};
    else if (code === 1) current = { ...current, bold: true };
    else if (code === 2) current = { ...current, dim: true };
    else if (code === 22) current = { ...current, bold: false, dim: false };
    else if (code === 7) current = { ...current, inverse: true };
    else if (code === 27) current = { ...current, inverse: false };
    else if (code >= 30 && code <= 37) current = { ...current, colour: basic[code - 30] };
    else if (code >= 90 && code <= 97) current = { ...current, colour: bright[code - 90] };
    else if (code === 39) current = { ...current, colour: undefined };
    else if (code >= 40 && code <= 47) current = { ...current, behind: basic[code - 40] };
    else if (code >= 100 && code <= 107) current = { ...current, behind: bright[code - 100] };
    else if (code === 49) current = { ...current, behind: undefined };
    else if (code === 38 || code === 48) {
      const long = codes[index + 1] === 2;
      const colour = long ? rgb(codes.slice(index + 2, index + 5)) : indexed(codes[index + 2] ?? 0);
      current = code === 38 ? { ...current, colour } : { ...current, behind: colour };
      index += long ? 4 : 2;
    }
  }
  return current;
}

function rgb(parts: readonly number[]): string {
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

/** The 256 colours: 16 basic ones, a cube of 6 × 6 × 6, and 24 greys. */
function indexed(index: number): string {
  if (index < 8) return basic[index] ?? ink;
  if (index < 16) return bright[index - 8] ?? ink;
  if (index >= 232) return rgb(Array<number>(3).fill(8 + 10 * (index - 232)));
  const level = (value: number): number => (value === 0 ? 0 : 55 + 40 * value);
  const cube = index - 16;
  return rgb([level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)]);
}

function drawLine(runs: readonly Run[], row: number): string {
  const top = margin + row * cell.height;
  let column = 0;
  return runs
    .map(({ text, style }) => {
      const length = [...text].length;
      const left = margin + column * cell.width;
      column += length;
      const [front, behind] = style.inverse
        ? [style.behind ?? ground, style.colour ?? ink]
        : [style.colour ?? ink, style.behind];
      const box =
        behind === undefined
          ? ""
          : `<rect x="${left.toFixed(1)}" y="${top}" width="${(length * cell.width).toFixed(1)}" height="${cell.height}" fill="${behind}"/>`;
      if (text.trim() === "") return box;
      const weight = style.bold ? ' font-weight="700"' : "";
      const faint = style.dim ? ' opacity=".65"' : "";
      return `${box}<text x="${left.toFixed(1)}" y="${top + 13.5}" textLength="${(length * cell.width).toFixed(1)}" lengthAdjust="spacingAndGlyphs" fill="${front}"${weight}${faint}>${quoted(text).replaceAll(" ", "\u00a0")}</text>`;
    })
    .join("");
}

function quoted(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}
