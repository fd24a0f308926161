import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Clock } from "../../foundation/base/index.ts";
import { runEventSchema, type ShownSample, type StoredEvent } from "../../foundation/contract/index.ts";
import { closingWords } from "./closing-words.ts";
import { difficultyName, kindsOf, kindWords } from "./kinds.ts";
import { reportPage } from "./page/report-page.ts";
import { tellRun } from "./tell-run.ts";
import type { TerminalStream } from "./terminal/abilities.ts";
import { terminalView } from "./terminal/terminal-view.ts";
import { plausibleKinds } from "./testing/plausible-kinds.ts";
import { plausibleRun } from "./testing/plausible-run.ts";
import { ToyTerminal } from "./testing/toy-terminal.ts";

const events = plausibleKinds();
const story = tellRun(events);
const generatedAt = new Date("2025-11-03T10:00:00Z");
const environment = { TERM: "xterm-256color", LANG: "en_US.UTF-8" };
const textOf = (html: string): string =>
  html
    .replace(/<style>.*?<\/style>/s, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");
const pageOf = (of = events): string => reportPage(tellRun(of), { generatedAt });

let now = 0;
const clock: Clock = { now: () => 0, monotonic: () => now };
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function shownOn(stream: TerminalStream, of: readonly StoredEvent[]): void {
  using view = terminalView({ stream, environment, clock });
  for (const event of of) {
    now += 200;
    view.watch(event);
  }
}

function screenOf(of = events, columns = 100): string {
  const terminal = new ToyTerminal(columns, 30);
  shownOn(terminal, of);
  expect(terminal.wrapped).toBe(false);
  return terminal.lines.join("\n");
}

/** A pipe: no terminal, no size. */
class Pipe extends EventEmitter {
  text = "";
  write(text: string): boolean {
    this.text += text;
    return true;
  }
}

test("every event of the made-up run is one that a ledger would take", () => {
  for (const { event } of events) expect(runEventSchema.safeParse(event).error?.message).toBeUndefined();
});

describe("kinds are said by name, and never as a frontier", () => {
  test("in the story", () => {
    expect(story.frontier).toBeNull();
    expect(tellRun(plausibleRun()).frontier).not.toBeNull();
    expect(difficultyName(2, story.facts)).toBe("sum");
    expect(difficultyName(2, tellRun(plausibleRun()).facts)).toBe("length 2");
  });

  test("in the closing words and the status", () => {
    const words = closingWords(story).join("\n");
    expect(words).toContain(
      "kinds     product 57.0 % → 92.0 %, sum 33.5 % → 54.1 %, difference 23.8 % → 38.3 % (right, on audit items)",
    );
    expect(words).not.toMatch(/frontier/i);
    expect(words).toMatch(/round {2}decision {2}accuracy/);
  });

  test("in the closing words of a run that promoted nothing", () => {
    const words = closingWords(tellRun(plausibleKinds({ rounds: ["not-shown"] }))).join("\n");
    expect(words).toContain("candidate of round 1 on validation items: 46.2 % right; the base: 28.6 %");
    expect(words).toContain("product 57.0 %, sum 33.5 %");
    expect(words).not.toMatch(/frontier/i);
  });

  test.each([100, 60, 40])("in the terminal, of %d cells", (columns) => {
    const screen = screenOf(events, columns);
    expect(screen).toMatch(/product +sum +difference|product +sum +diff?e?r?e?n?…/);
    expect(screen).toContain("accuracy by kind");
    expect(screen).toContain("accuracy: 46.2 % (base: 28.6 %)");
    expect(screen).not.toMatch(/frontier|demonstrated/i);
  });

  test("where every stage is told", () => {
    const pipe = new Pipe();
    shownOn(pipe, events);
    const { text } = pipe;
    expect(text).not.toMatch(/frontier/i);
    expect(text).toContain("accuracy 33.0 %");
  });

  test("on the page", () => {
    const text = textOf(pageOf());
    expect(text).not.toMatch(/frontier/i);
    expect(text).toContain("Accuracy by kind and round");
    expect(text).toContain("kind product ° sum difference mean decision");
    // The same digits as in the terminal: of rounded shares the difference is another one than the gain.
    const measured = kindsOf(tellRun(events));
    const words = measured === null ? [] : kindWords(measured);
    expect(words[0]).toMatch(/^product \d+\.\d % → \d+\.\d %$/);
    expect(text).toContain(`Right, by kind ${words.join(" ")} on audit items`);
    expect(text).toContain("Kind “product”: every item is answered and none is unseen");
    expect(textOf(reportPage(tellRun(plausibleRun()), { generatedAt }))).toMatch(/frontier/);
  });
});

describe("names of kinds", () => {
  const many = Array.from({ length: 40 }, (_, index) => `kind of question number ${index + 1}`);

  test("that are many leave the terminal their cells, and the words their first eight", () => {
    const crowd = plausibleKinds({ kinds: many });
    expect(screenOf(crowd, 80)).toContain("accuracy by kind");
    const measured = kindsOf(tellRun(crowd));
    expect(measured?.kinds).toHaveLength(40);
    expect(kindWords(measured!).at(-1)).toBe("and 32 more");
    expect(textOf(pageOf(crowd))).toContain("and 36 more kinds, on audit items");
  });

  test("that come from a file cannot change what is around them", () => {
    const nasty = plausibleKinds({ kinds: ["<b>bold</b>", "\u001b[2Jgone", "日本語の種類"] });
    expect(pageOf(nasty)).not.toContain("<b>bold");
    const screen = screenOf(nasty, 80);
    expect(screen).toContain("<b>bold</b>");
    expect(screen).toContain("日本語の種類");
  });

  test("of one only: it is named, and the page stands", () => {
    const one = plausibleKinds({ kinds: ["questions"], samples: [] });
    expect(closingWords(tellRun(one)).join("\n")).toContain("kinds     questions 57.0 % → 92.0 %");
    expect(textOf(pageOf(one))).toContain("kind questions ° mean decision");
  });
});

describe("reused decision items", () => {
  test("say their opening and nothing of the evidence, in every view", () => {
    const said =
      "a gain was not shown on 400 reused decision items, opening 2 of 4; only the outcome leaves the gate";
    expect(closingWords(story).join("\n")).toContain(said);
    const text = textOf(pageOf());
    expect(text).toContain(said);
    expect(text).toContain("2 of 4 0.0038 400 reused");
    expect(text).toContain("every opening uses all of them again");
    expect(text).not.toContain("evidence pairs observed");
    expect(text).not.toContain("unused decision items reaches");
    expect(text).toContain("The decision items are reused. That bound holds as long as");
    expect(text).toContain("over all openings on these decision items is at most 5 %");
    expect(screenOf(events, 140)).toContain("opening 3 of 4; only the outcome leaves the gate");
  });

  test("say why a round was not opened", () => {
    const why = "the gate was not opened: +2.3 points on validation items does not promise enough yet";
    expect(closingWords(story).join("\n")).toContain(why);
    expect(textOf(pageOf()).replaceAll("\u00a0", " ")).toContain(why);
  });
});

describe("answers before and after", () => {
  test("stand side by side under their kinds, and say what became of them", () => {
    const text = textOf(pageOf());
    expect(text).toMatch(
      /product became right right is 56 What is 7 \* 8\? .*? champion ✗ wrong 7 \* 8 = 54 candidate ✓ right 56/,
    );
    expect(text).toMatch(
      /became wrong right is 144 .*? champion ✓ right 12 \* 12 = 144 candidate ✗ wrong 142/,
    );
    expect(text).toMatch(/still wrong right is 155 .*? champion ✗ wrong \(nothing\) candidate ✗ wrong 145/);
    expect(text).toMatch(/champion \? not judged Subtract/);
    expect(text).toContain("The base: 5 answers");
  });

  test("keep their lines, and end where they are too long for a page", () => {
    const long: ShownSample = {
      kind: "sum",
      difficulty: 2,
      prompt: "first\nsecond <i>line</i>",
      answer: null,
      before: "x".repeat(50_000),
      after: "one\n\n  two",
      beforeRight: false,
      right: null,
    };
    const html = pageOf(plausibleKinds({ samples: [long] }));
    expect(html).toContain("one\n\n  two");
    expect(html).toContain("first\nsecond &lt;i&gt;line&lt;/i&gt;");
    expect(html).toContain("48,000 more characters");
    expect(html.length).toBeLessThan(120_000);
    expect(html).toMatch(/\.said\{[^}]*white-space:pre-wrap[^}]*overflow-wrap:anywhere[^}]*max-height/);
  });
});
