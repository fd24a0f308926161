import { describe, expect, test } from "vitest";
import type { ShownSample, StoredEvent } from "../../../foundation/contract/index.ts";
import { signedPoints } from "../../../foundation/statistics/index.ts";
import { tellRun } from "../tell-run.ts";
import { plausibleRun } from "../testing/plausible-run.ts";
import { reportPage } from "./report-page.ts";

const generatedAt = new Date("2025-11-03T10:00:00Z");
const run = plausibleRun({ rejected: [3, 6], warned: [4], interruptedIn: 5 });
const page = (events: readonly StoredEvent[], more = {}): string =>
  reportPage(tellRun(events), { generatedAt, ...more });
/** The words of a page, without its markup and styles. */
const textOf = (html: string): string =>
  html
    .replace(/<style>.*?<\/style>/s, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");

const voids = new Set(["meta", "br"]);

/** Throws unless every tag is closed where it must be. */
function expectBalanced(html: string): void {
  const open: string[] = [];
  for (const [whole, close, name = "", self] of html
    .replace(/<style>.*?<\/style>/s, "")
    .matchAll(/<(\/?)([a-z][a-z0-9]*)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (close === "/") expect(open.pop(), `before ${whole}`).toBe(name);
    else if (self !== "/" && !voids.has(name)) open.push(name);
  }
  expect(open).toEqual([]);
}

describe("one file that needs nothing else", () => {
  const html = page(run);

  test("it holds no script, asks for nothing, and forbids both", () => {
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\son\w+=/i);
    expect(html).not.toMatch(/(?:href|src)="[^#]/);
  });

  test("its tags are balanced, its ids single, its links lead somewhere", () => {
    expectBalanced(html);
    const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of html.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(target);
    for (const [, target] of html.matchAll(/aria-labelledby="([^"]*)"/g)) expect(ids).toContain(target);
  });

  test("the same story gives the same page", () => {
    expect(page(run)).toBe(html);
  });
});

describe("what it says", () => {
  const text = textOf(page(run));
  const story = tellRun(run);

  test("the gain, its interval, and who was compared", () => {
    const points = (value: number) => `+${(100 * value).toFixed(1)}`;
    expect(text).toContain(`${points(story.gain!.mean)} points`);
    expect(text).toContain(
      `95 % interval ${points(story.gain!.interval.low)} to ${points(story.gain!.interval.high)}`,
    );
    expect(text).toContain("The champion of round 8 against the base");
  });

  test("a cell for each round and difficulty, that only a whole 1 fills", () => {
    const cells = [...page(run).matchAll(/<td class="h(\d+)( edge)?" title="([^"]*)">(\d+)<\/td>/g)];
    expect(cells).toHaveLength((9 + 2) * 18);
    for (const [, step, , title, shown] of cells) {
      expect(shown === "100", title).toBe(step === "20");
      expect(title).toMatch(/^(base|round \d), length \d+: \d+\.\d % of \d+ items$/);
    }
    expect(cells.filter(([, , edge]) => edge !== undefined)).toHaveLength(9 + 2);
  });

  test("each decision with its opening, evidence and reason", () => {
    const round = story.rounds[2]!;
    expect(text).toContain(round.decision!.reason.replaceAll("<", "&lt;"));
    expect(text).toContain("▽ rejected");
    expect(text).toContain("4,000");
  });

  test("the naive gain of every promotion beside its audit gain, and by how much it overstates", () => {
    const section = (events: readonly StoredEvent[]): string =>
      /<section class="part" id="naive".*?>(.*?)<\/section>/s.exec(page(events))?.[1] ?? "";
    const promoted = story.rounds.filter((round) => round.promoted);
    expect(promoted.length).toBeGreaterThan(3);
    const told = textOf(section(run)).replaceAll("−", "-");
    for (const { round, validationGain, audit } of promoted) {
      const [naive, sober] = [validationGain!.mean, audit!.gain.mean];
      expect(told).toMatch(
        new RegExp(
          `${round} \\${signedPoints(naive)} .* \\${signedPoints(sober)} .* \\${signedPoints(naive - sober)} `,
        ),
      );
    }
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const naive = mean(promoted.map(({ validationGain }) => validationGain!.mean));
    const sober = mean(promoted.map(({ audit }) => audit!.gain.mean));
    expect(told).toContain(
      `On average over ${promoted.length} promotions: naive ${signedPoints(naive)}, audit ${signedPoints(sober)}, overstated by ${signedPoints(naive - sober)} points.`,
    );
    const old = run.map((stored): StoredEvent => {
      const { event } = stored;
      if (event.type !== "validation-measured") return stored;
      const { gain: _gain, ...rest } = event;
      return { ...stored, event: rest };
    });
    expect(textOf(section(old))).toMatch(/1 – /);
    expect(textOf(section(old))).not.toContain("On average");
    expect(section(plausibleRun({ rounds: 2, rejected: [1, 2] }))).toBe("");
  });

  test("the loss of every training, as a curve with its ends", () => {
    const [, section = ""] = /<section class="part" id="loss".*?>(.*?)<\/section>/s.exec(page(run)) ?? [];
    expect(textOf(section)).toContain("preparation 1,500 2.3 0.141");
    expect(section.match(/<path class="line one"/g)).toHaveLength(9);
    const old = run.map((stored): StoredEvent => {
      const { event } = stored;
      if (event.type !== "model-prepared" && event.type !== "training-finished") return stored;
      const { loss: _loss, ...rest } = event;
      return { ...stored, event: rest };
    });
    expect(page(old)).not.toContain('id="loss"');
  });

  test("every meter that was measured has a chart that can be heard; the others are named", () => {
    const spoken = [...page(run).matchAll(/<svg viewBox[^>]*aria-label="([^"]*) over rounds\. ([^"]*)"/g)];
    expect(spoken.map(([, name]) => name)).toEqual([
      "Gain of each promotion, in points",
      "Share of right labels",
      "accuracy",
      "frontier",
      "frontier at half",
      "raw label accuracy",
      "kept label accuracy",
      "generation–verification gap",
      "mismatch",
      "real share",
      "response length",
      "tokens sampled",
      "tokens trained",
      "engine time",
      "wall time",
    ]);
    expect(spoken[11]![2]).toMatch(/^round 1: \d+(\.\d)? [kM], round 2: /);
    expect(spoken[3]![2]).toMatch(/^base: 9, round 1: 10, round 2: 11, /);
    expect(spoken[2]![2]).toMatch(/^base: \d\d\.\d %, round 1: \d\d\.\d %, /);
    expect(spoken[4]![2]).toMatch(/^base: \d+, round 1: /);
    expect(text).toContain("Not measured: diversity (greedy decoding gives one answer an item).");
  });

  test("of earlier rounds the answers that changed come first, and of each round no more than a page can bear", () => {
    const some = (beforeRight: boolean, right: boolean, prompt: string): ShownSample => ({
      difficulty: 9,
      prompt,
      answer: "1",
      before: "0",
      beforeRight,
      after: "1",
      right,
    });
    const samples = [
      ...Array.from({ length: 20 }, (_, index) => some(false, false, `same ${index}`)),
      some(false, true, "now right"),
      some(true, false, "now wrong"),
    ];
    const many = run.map((stored): StoredEvent => {
      const { event } = stored;
      return event.type === "samples-shown" ? { ...stored, event: { ...event, samples } } : stored;
    });
    const html = page(many);
    const [, earlier = ""] = /<summary>Round 2: 12 answers<\/summary>(.*?)<\/details>/s.exec(html) ?? [];
    expect(textOf(earlier)).toMatch(
      /became right .*now right.* became wrong .*now wrong.* still wrong .*same 0/s,
    );
    expect(earlier.match(/<li /g)).toHaveLength(12);
    const [, newest = ""] = /<h3>Round 8<\/h3>(.*?)<details>/s.exec(html) ?? [];
    expect(newest.match(/<li /g)).toHaveLength(22);
  });

  test("seeds of decisions are checked against the hashes told before", () => {
    expect(text).toContain("is the hash");
    expect(text).not.toContain("is another");
    const forged = run.map((stored) =>
      stored.event.type === "decision-made" && stored.event.round === 2
        ? { ...stored, event: { ...stored.event, seed: "chosen afterwards" } }
        : stored,
    );
    expect(textOf(page(forged))).toContain("is another");
  });

  test("interruptions, hashes and what was configured", () => {
    expect(text).toContain("interrupted in round 5: The run was asked to end.");
    expect(text).toContain(story.facts!.protocolHash);
    expect(textOf(page(run, { configuration: { gate: { alpha: 0.05 } } }))).toContain(
      "&quot;alpha&quot;: 0.05",
    );
  });

  test("definitions of the meters and guards that it had, and of no others", () => {
    const definitions = [
      { name: "mismatch", definition: "How far apart they are." },
      { name: "unheard of", definition: "Nothing." },
    ];
    const configuration = { guard: [{ name: "label accuracy", definition: "More right than wrong." }] };
    const told = textOf(page(run, { definitions, configuration }));
    expect(told).toContain("label accuracy More right than wrong.");
    expect(told).toContain("mismatch How far apart they are.");
    expect(told).not.toContain("unheard of");
  });
});

describe("honesty", () => {
  test("what is not proven is said of this very run", () => {
    const text = textOf(page(run)).replaceAll("\u00a0", " ");
    expect(text).toContain("this is one run with seed 0");
    expect(text).toContain("Length 1–3: every item is answered and none is unseen");
    expect(text).toContain(
      "the chance of a false one over all openings on these decision items is at most 5 %",
    );
    expect(text).toContain("No baseline stands beside it");
  });

  test("a gate that observes", () => {
    const text = textOf(page(plausibleRun({ observe: true })));
    expect(text).toContain("Decisions were only recorded");
    expect(text).toContain("would promote");
    expect(text).toContain("training went on from every candidate");
    expect(text).toContain("without an audit of the champion there is no claim");
    expect(text).not.toContain("▲ promoted");
  });

  test("no promotion", () => {
    expect(textOf(page(plausibleRun({ rounds: 2, rejected: [1, 2] })))).toMatch(
      /Gain over the base No gain No round was promoted/,
    );
  });

  test("a guard that could not measure, and a round whose gate stayed shut", () => {
    const blind = run.map((stored): StoredEvent => {
      const { event } = stored;
      if (event.type === "guards-spoke" && event.round < 3)
        return {
          ...stored,
          event: {
            ...event,
            findings: event.findings.map((finding) =>
              finding.guard === "label accuracy"
                ? { ...finding, value: null, evidence: "no label was kept" }
                : finding,
            ),
          },
        };
      if (event.type === "decision-made" && event.round === 3)
        return { ...stored, event: { ...event, decision: { ...event.decision, opening: null } } };
      return stored;
    });
    const text = textOf(page(blind));
    expect(text).toContain(
      "The guard “label accuracy” could not measure in rounds 1 and 2: no label was kept.",
    );
    // Neither in the guards' table nor beside the decisions is it counted as content.
    const [, guards = ""] = /<section class="part" id="guards".*?>(.*?)<\/section>/s.exec(page(blind)) ?? [];
    expect(textOf(guards)).toMatch(/label accuracy – not measured – not measured ✓ ok/);
    expect(textOf(guards)).toContain("– is not measured");
    expect(textOf(page(run))).not.toContain("– is not measured");
    expect(text.match(/✓ ok 1 of \d not measured/g)).toHaveLength(2);
    expect(text).toContain("In round 3 the gate was not opened.");
  });
});

describe("any part of a run has a page", () => {
  test("without a hole in it", () => {
    for (let cut = 0; cut <= run.length; cut += 3) {
      for (const events of [run.slice(0, cut), run.slice(cut)]) {
        const html = page(events);
        expectBalanced(html);
        expect(textOf(html), `cut ${cut}`).not.toMatch(/NaN|undefined|\bnull\b|\[object|Infinity/);
      }
    }
  });

  test("before its first event a run has its name, and says that nothing is measured yet", () => {
    const html = reportPage({ ...tellRun([]), run: "3-reverse" }, { generatedAt });
    expect(html).toContain("<h1>3-reverse</h1>");
    expect(textOf(html)).toContain("Nothing is measured yet Run 3-reverse has begun");
    expect(textOf(html)).not.toMatch(/not begun|Nothing has happened/);
  });

  test("running, and interrupted", () => {
    const at = (type: string) => 1 + run.findIndex(({ event }) => event.type === type);
    expect(textOf(page(run.slice(0, at("run-interrupted"))))).toContain(
      "Interrupted in round 5 of 8 (optimize)",
    );
    expect(textOf(page(run.slice(0, at("training-finished"))))).toContain(
      "The run stands in round 1 of 8 (optimize).",
    );
  });
});

describe("text that can hold anything", () => {
  const nasty = `</script><script>alert(1)</script>"'\`&<img src=x onerror=alert(1)>\0\x1b[2J\u202e${"x".repeat(50_000)}`;
  const sample: ShownSample = {
    difficulty: 3,
    prompt: nasty,
    answer: nasty,
    before: `${nasty}!`,
    after: "",
    right: false,
  };
  const events: StoredEvent[] = plausibleRun({ rounds: 2, name: nasty.slice(0, 120) }).map(
    (stored): StoredEvent => {
      const { event } = stored;
      if (event.type === "samples-shown") return { ...stored, event: { ...event, samples: [sample] } };
      if (event.type === "run-started")
        return { ...stored, event: { ...event, unit: nasty.slice(0, 100), task: { name: nasty } } };
      if (event.type === "decision-made")
        return { ...stored, event: { ...event, decision: { ...event.decision, reason: nasty } } };
      if (event.type === "guards-spoke")
        return {
          ...stored,
          event: {
            ...event,
            findings: [
              { guard: nasty.slice(0, 90), answer: "warn", evidence: nasty, value: null, threshold: null },
            ],
          },
        };
      if (event.type === "meters-read")
        return {
          ...stored,
          event: {
            ...event,
            readings: [
              { meter: nasty.slice(0, 80), value: 1, unit: nasty.slice(0, 70), note: nasty.slice(0, 60) },
            ],
          },
        };
      return stored;
    },
  );
  const html = page(events);

  test("none of it comes alive", () => {
    expectBalanced(html);
    expect(html).not.toMatch(/<script|<img/);
    for (const unseen of ["\0", "\x1b", "\u202e"]) expect(html).not.toContain(unseen);
    for (const [, attributes] of html.matchAll(/<[a-z]+((?:\s+[a-z-]+="[^"<>]*")*)\s*\/?>/g))
      expect(attributes?.replace(/="[^"]*"/g, "")).not.toContain("onerror");
  });

  test("what is very long is cut, and says by how much", () => {
    expect(html).toMatch(/… \(48,\d{3} more characters\)/);
    expect(html.length).toBeLessThan(500_000);
  });

  test("an answer is marked where it leaves the right one", () => {
    const marked = (after: string, answer: string): string => {
      const one = plausibleRun({ rounds: 0 }).map(
        (stored): StoredEvent =>
          stored.event.type === "samples-shown"
            ? {
                ...stored,
                event: {
                  ...stored.event,
                  samples: [{ ...sample, prompt: "?", before: null, after, answer, right: false }],
                },
              }
            : stored,
      );
      return /<dt>base<\/dt><dd>(.*?)<\/dd>/s.exec(page(one))![1]!;
    };
    expect(marked("12345", "12945")).toBe("12<mark>3</mark>45");
    expect(marked("12", "123")).toBe("12");
    expect(marked("123<", "123")).toBe("123<mark>&lt;</mark>");
    expect(marked("", "123")).toContain("(nothing)");
  });
});
