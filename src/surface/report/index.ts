export { type ClosingOptions, closingWords } from "./closing-words.ts";
export { comparisonWords } from "./comparison-words.ts";
export type { Definition } from "./page/definitions-section.ts";
export { type ReportOptions, reportPage } from "./page/report-page.ts";
export { type Standing, standingWords } from "./standing-words.ts";
export type { RoundStory, RunStory } from "./story.ts";
export { tellRun } from "./tell-run.ts";
export { type Saying, sideBySide } from "./terminal/side-by-side.ts";
export { type TerminalView, type TerminalViewOptions, terminalView } from "./terminal/terminal-view.ts";
