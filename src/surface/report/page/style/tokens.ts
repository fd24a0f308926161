import { type Ground, heatPaint, heatSteps, hexOf } from "../../heat-colours.ts";

/** Colours of text and ground; every text colour is read well on ground and card (tested). */
export const tokens = {
  light: {
    ground: "#f8f7f3",
    card: "#ffffff",
    ink: "#191b1f",
    quiet: "#5a5f68",
    line: "#e2dfd7",
    accent: "#03639f",
    good: "#17713f",
    warn: "#85560a",
    bad: "#b3261e",
    "good-ground": "#e3f3e8",
    "warn-ground": "#faeed3",
    "bad-ground": "#fbe4e1",
    "plain-ground": "#eeece6",
    edge: "#e8590c",
    shade: "#191b1f4d",
    "series-one": "#b4560f",
    "series-two": "#03639f",
  },
  dark: {
    ground: "#101216",
    card: "#181b20",
    ink: "#eae8e3",
    quiet: "#a3a8b2",
    line: "#2c3038",
    accent: "#4ec9c0",
    good: "#6fd39b",
    warn: "#e8b964",
    bad: "#ff9187",
    "good-ground": "#163425",
    "warn-ground": "#3a2d12",
    "bad-ground": "#44211e",
    "plain-ground": "#262a31",
    edge: "#ff8a3d",
    shade: "#eae8e352",
    "series-one": "#f0a05a",
    "series-two": "#4ec9c0",
  },
} as const satisfies Record<Ground, Readonly<Record<string, string>>>;

/** Parts of a round's time, told apart by every kind of colour vision (after Okabe and Ito); words say them too. */
const stages = {
  light: { learn: "#0072b2", measure: "#56b4e9", judge: "#e69f00", audit: "#9a5b86", other: "#b3b0a7" },
  dark: { learn: "#3d9bd8", measure: "#8fd0f5", judge: "#e9ae2b", audit: "#c78bb4", other: "#6f747d" },
} as const;

function variablesOf(ground: Ground): string {
  const heat = Array.from({ length: heatSteps + 1 }, (_, step) => {
    const { fill, ink } = heatPaint(step, ground);
    return `--heat-${step}:${hexOf(fill)};--heat-ink-${step}:${hexOf(ink)}`;
  });
  const named = Object.entries(tokens[ground]).map(([name, value]) => `--${name}:${value}`);
  const parts = Object.entries(stages[ground]).map(([name, value]) => `--stage-${name}:${value}`);
  return [...named, ...parts, ...heat].join(";");
}

/** The page's custom properties: light, and dark where the person prefers it. Paper is always light. */
export const tokenStyle = `
:root{color-scheme:light dark;${variablesOf("light")};
--sans:"Inter",system-ui,-apple-system,"Segoe UI","Helvetica Neue",Arial,sans-serif;
--mono:ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media screen and (prefers-color-scheme:dark){:root{${variablesOf("dark")}}}
${Array.from({ length: heatSteps + 1 }, (_, step) => `.h${step}{background:var(--heat-${step});color:var(--heat-ink-${step})}`).join("\n")}
`;
