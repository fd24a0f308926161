import { expect, test } from "vitest";
import type { RunEvent, StoredEvent } from "../../foundation/contract/index.ts";
import { closingWords } from "./closing-words.ts";
import { reportPage } from "./page/report-page.ts";
import { openIn, questionWords } from "./question-words.ts";
import { tellRun } from "./tell-run.ts";
import { plausibleRun } from "./testing/plausible-run.ts";

const asked: RunEvent = {
  type: "question-asked",
  round: 3,
  question: "1-promotion-3",
  about: "promotion",
  text: "promote the candidate of round 3 (better: <b>+4.0</b> points)",
  details: {},
};
const answered: RunEvent = {
  type: "question-answered",
  round: 3,
  question: "1-promotion-3",
  answer: "reject",
  why: "it forgets <i>dates</i>",
  by: "anna",
};
/** A made-up run in which a person was asked. */
const storyWith = (...events: RunEvent[]) => {
  const before = plausibleRun({ rounds: 2 }).slice(0, -1);
  const later = events.map(
    (event, index): StoredEvent => ({ id: before.length + index + 1, run: "1-reverse", at: 1e12, event }),
  );
  return tellRun([...before, ...later]);
};

test("a question shows the commands that answer it, with a folder that a shell takes", () => {
  const question = { id: "1-promotion-3", text: "promote it" };
  expect(questionWords(question)).toEqual([
    "1-promotion-3 waits for a person: promote it?",
    "whetstone approve 1-promotion-3",
    'whetstone reject 1-promotion-3 --why "…"',
  ]);
  expect(questionWords(question, "examples/reverse")[1]).toBe(
    "whetstone approve 1-promotion-3 examples/reverse",
  );
  expect(questionWords(question, "Anna's $HOME")[1]).toBe(
    "whetstone approve 1-promotion-3 'Anna'\\''s $HOME'",
  );
});

test("one that waits is told by the closing words and at the top of the page", () => {
  const story = storyWith(asked);
  expect(story.state).toBe("running");
  expect(openIn(story)).toHaveLength(1);
  const words = closingWords(story, { where: "here" });
  expect(words[0]).toMatch(/, waits for a person$/);
  expect(words).toContain("            whetstone approve 1-promotion-3 here");
  const page = reportPage(story, { generatedAt: new Date(0) });
  expect(page).toContain("<code>1-promotion-3</code> waits for a person: promote the candidate");
  expect(page).toContain("better: &lt;b&gt;+4.0&lt;/b&gt; points");
});

test("one that was answered is in the page with who, what and why, and waits nowhere", () => {
  const story = storyWith(asked, answered);
  expect(openIn(story)).toEqual([]);
  expect(closingWords(story).join("\n")).not.toContain("waits");
  const page = reportPage(story, { generatedAt: new Date(0) });
  expect(page).toContain("What a person was asked");
  expect(page).toContain("it forgets &lt;i&gt;dates&lt;/i&gt;");
  expect(page).toContain("<td>anna</td>");
  expect(page).not.toContain("waits for a person");
  expect(reportPage(storyWith(), { generatedAt: new Date(0) })).not.toContain("What a person was asked");
});

test("what is asked after the end of a run does not make it go on", () => {
  const events = plausibleRun({ rounds: 2 });
  const after: StoredEvent = { id: events.length + 1, run: "1-reverse", at: 1e12, event: asked };
  expect(tellRun([...events, after])).toMatchObject({ state: "finished", questions: [{ answer: null }] });
});
