import {
  demonstrations,
  exactCanaries,
  type Item,
  reverse,
  type Source,
  type Task,
  type TaskPrompts,
  type Verdict,
} from "whetstone";

/** The first character of a prompt says who is asked. */
const tags = {
  solve: "s",
  hint: "h",
  judge: "j",
  critique: "c",
  revise: "r",
  debate: "b",
  propose: "p",
  plan: "g",
  follow: "f",
  ask: "k",
  ground: "d",
  search: "q",
  edit: "e",
} as const;
const characters = `0123456789=?@,:yn${Object.values(tags).join("")}`;
const lengths = [4, 6] as const;
type Random = Parameters<Task["generate"]>[1];

/** What stands last, before the sign: a document may stand before it. */
const digitsOf = (prompt: string): string => /(\d*)=$/.exec(prompt)?.[1] ?? "";
/** `3718` is worked out as `3018`: 3, 3 + 7, 10 + 1, 11 + 8, of each the last digit. */
const sumsOf = (digits: string): string => {
  let sum = 0;
  return Array.from(digits, (digit) => (sum = (sum + Number(digit)) % 10)).join("");
};
const solves = ({ prompt }: Pick<Item, "prompt">, text: string): boolean =>
  text !== "" && text.at(-1) === sumsOf(digitsOf(prompt)).at(-1);

/** The digits of a string and a response to it, as the other roles are shown them. */
const shown = ({ prompt }: Pick<Item, "prompt">, text: string): string => `${digitsOf(prompt)}=${text}`;

/** Each digit with the sum that was written for it, `33701018`, so that whoever judges sees side by side what belongs together. */
const paired = ({ prompt }: Pick<Item, "prompt">, text: string): string => {
  const digits = digitsOf(prompt);
  return Array.from(digits, (digit, at) => digit + (text[at] ?? "@")).join("") + text.slice(digits.length);
};

/** All but the last digit, with their sums: what a question that begins so can be answered from. */
const documentOf = ({ prompt }: Pick<Item, "prompt">): string => {
  const begun = digitsOf(prompt).slice(0, -1);
  return `${begun}=${sumsOf(begun)}`;
};
/** A plan is where to pause: a guideline says after how many digits. */
const plannedAfter = (guideline: string): number => 1 + (guideline.length % 3);
/** Worked examples in an edit. */
const editExamples = 4;

export const runningSumPrompts = {
  hint: ({ prompt, answer }) => ({ prompt: `${tags.hint}${digitsOf(prompt)}=${answer}:` }),
  judge: (item, { text }) => ({ prompt: `${tags.judge}${paired(item, text)}?` }),
  critique: (item, { text }) => ({ prompt: `${tags.critique}${paired(item, text)}?` }),
  revise: (item, { text }, critique = "") => ({ prompt: `${tags.revise}${shown(item, text)}@${critique}:` }),
  debate: (item, others) => ({
    prompt: `${tags.debate}${shown(item, others.map(({ text }) => text).join(","))}:`,
  }),
  propose: (_, difficulty) => ({ prompt: `${tags.propose}${difficulty}:` }),
  plan: ({ prompt }, guideline) => ({
    prompt: `${tags.plan}${digitsOf(prompt)}@${plannedAfter(guideline)}:`,
  }),
  follow: ({ prompt }, plan) => ({ prompt: `${tags.follow}${digitsOf(prompt)}=${plan}:` }),
  ask: (document, difficulty) => ({ prompt: `${tags.ask}${document},${difficulty}:` }),
  ground: ({ prompt }, document) => ({ prompt: `${tags.ground}${document},${digitsOf(prompt)}=` }),
  // A base that was taught no queries asks none: what was found is there for one that would.
  search: (item, found) =>
    found.length === 0
      ? { prompt: item.prompt }
      : { prompt: `${tags.search}${digitsOf(item.prompt)}@${found.join(",")}:` },
  edit: ({ difficulty }) => ({ prompt: `${tags.edit}${difficulty}:` }),
  verdictWords: ["y", "n"],
} satisfies TaskPrompts;

/**
 * Add up a string of four to six digits and write down every sum on the way, modulo 10: `s3718=` → `3018`. The last digit is the
 * answer, and it alone is verified: a response may be right for wrong reasons, or go wrong early. Each role is asked in a language of
 * one letter, so that a small transformer can be taught all of them, and play them well or badly.
 */
export function runningSums(): Task {
  const strings = reverse({ lengths: [...lengths], growTo: lengths[1], measureTo: lengths[1] });
  const problemOf = (digits: string) => ({
    prompt: `${tags.solve}${digits}=`,
    answer: sumsOf(digits).at(-1) ?? "",
    difficulty: digits.length,
  });
  const known = [...new Map(strings.canaries().map(({ item }) => [item.prompt, item])).values()]
    .filter(({ difficulty }) => difficulty >= lengths[0])
    .map((item) => ({ ...item, ...problemOf(item.prompt.slice(0, -1)) }));
  const verdict = (right: boolean): Verdict => ({ outcome: "scored", score: right ? 1 : 0 });
  return {
    ...strings,
    name: "running sums",
    options: {},
    characters,
    verifier: {
      name: "last sum",
      version: 1,
      verify: (item, { text, complete }) => verdict(complete && solves(item, text)),
    },
    generate: (length, random) => problemOf(Array.from({ length }, () => random.integer(0, 9)).join("")),
    *enumerate(length) {
      for (const { prompt } of strings.enumerate(length)) yield problemOf(prompt.slice(0, -1));
    },
    canonical: ({ prompt }) => digitsOf(prompt),
    demonstrate: ({ prompt }) => sumsOf(digitsOf(prompt)),
    maxTokens: ({ prompt }) => digitsOf(prompt).length + 4,
    document: documentOf,
    answerOf: (_, { text }) => text.at(-1),
    readProblem: (text, difficulty) =>
      /^\d+=$/.test(text) && text.length === difficulty + 1 ? problemOf(text.slice(0, -1)) : undefined,
    readQuery: (text) => /^\?(\d+)$/.exec(text)?.[1],
    readEdit: (text, difficulty) => {
      const examples = [...text.matchAll(/(\d+)=(\d+)(?:,|$)/g)].map(([, digits = "", response = ""]) => ({
        prompt: `${tags.solve}${digits}=`,
        response,
      }));
      return examples.some(({ prompt }) => prompt.length !== difficulty + 2) ? undefined : examples;
    },
    prompts: runningSumPrompts,
    canaries: () =>
      exactCanaries(
        known.map((item) => ({ item, answer: sumsOf(digitsOf(item.prompt)) })),
        [..."0123456789"],
      ).filter(({ item, response, right }) => (response.complete && solves(item, response.text)) === right),
  };
}

export interface RoleDemonstrationsOptions {
  /** Share of demonstrated solutions with a mistake in them: what the base is made to be unsure of. */
  readonly noise: number;
  /** Share of the items of which most demonstrated solutions end with the same wrong sum: what the base is made to believe. */
  readonly misled?: number;
}

/** How often a solution that misleads is demonstrated, of those of its item. */
const misledOften = 0.8;

/** Demonstrations of every role, two fifths of them of the solver's: what the base model learns from, and nothing else. */
export function roleDemonstrations({ noise, misled = 0 }: RoleDemonstrationsOptions): Source {
  const honest = demonstrations();
  type Draw = NonNullable<Source["draw"]>;
  const withRoles: Draw = (task, count, random) => {
    const drawn = honest.draw?.(task, count, random) ?? [];
    return drawn.map(({ item }) => {
      const digits = digitsOf(item.prompt);
      const right = sumsOf(digits);
      const slipped = (share: number): string => (random.uniform() < share ? unsure(digits, random) : right);
      const as = (prompt: string, response: string) => ({
        item: { ...item, prompt, canonical: prompt, source: "generator:roles@1" },
        response,
        about: item,
      });
      const role = random.uniform();
      const misleads = Number(digits[0]) < 10 * misled;
      if (role < 0.4)
        return {
          item,
          response: misleads && random.uniform() < misledOften ? oneMore(right) : slipped(noise),
        };
      const text = slipped(0.5);
      const response = { text, complete: true };
      const mistake = String([...right].findIndex((sum, index) => sum !== text[index]) + 1);
      if (role < 0.45) return as(runningSumPrompts.hint(item).prompt, right);
      if (role < 0.65)
        return as(runningSumPrompts.judge(item, response).prompt, text.at(-1) === right.at(-1) ? "y" : "n");
      if (role < 0.75) return as(runningSumPrompts.critique(item, response).prompt, mistake);
      if (role < 0.81)
        return as(
          runningSumPrompts.revise(item, response, random.uniform() < 0.5 ? mistake : undefined).prompt,
          right,
        );
      if (role < 0.85) {
        const others = [response, { text: slipped(0.5), complete: true }];
        return as(runningSumPrompts.debate(item, others).prompt, right);
      }
      if (role < 0.88) return as(runningSumPrompts.propose([], item.difficulty).prompt, `${digits}=`);
      const after = random.integer(1, 3);
      const plan = String(after);
      // A guideline of that length asks to pause there.
      if (role < 0.9) return as(runningSumPrompts.plan(item, " ".repeat(after - 1)).prompt, plan);
      if (role < 0.93) return as(runningSumPrompts.follow(item, plan).prompt, right);
      const document = documentOf(item);
      if (role < 0.945) return as(runningSumPrompts.ask(document, item.difficulty).prompt, `${digits}=`);
      if (role < 0.96) return as(runningSumPrompts.ground(item, document).prompt, right);
      // Of training alone, as all that is demonstrated.
      const alike = drawn.filter(({ item: { difficulty } }) => difficulty === item.difficulty);
      const others = Array.from({ length: editExamples - 1 }, () => digitsOf(random.pick(alike).item.prompt));
      const worked = [digits, ...others].map(
        (one) => `${one}=${random.uniform() < noise ? withSlip(one, random) : sumsOf(one)}`,
      );
      return as(runningSumPrompts.edit(item).prompt, worked.join(","));
    });
  };
  return {
    ...honest,
    name: "demonstrations of every role",
    description: { noise, ...(misled === 0 ? {} : { misled }) },
    acquire: async ({ task, random }) => ({ items: [], demonstrations: [...withRoles(task, 512, random)] }),
    draw: withRoles,
  };
}

/** The same sums with one more at the end: a rule as easily learnt as the right one. */
function oneMore(sums: string): string {
  return sums.slice(0, -1) + String((Number(sums.at(-1)) + 1) % 10);
}

/**
 * Worked out with the sum lost on the way: a 0 stands where it was to be, and what follows is added to that. A small transformer soon
 * learns to see a 0, without adding up: as a judge it takes some right solutions for wrong.
 */
function withSlip(digits: string, random: Random): string {
  const at = random.integer(1, digits.length - 1);
  return sumsOf(digits.slice(0, at)) + sumsOf(`0${digits.slice(at + 1)}`);
}

/**
 * A solution with a slip, and from there on any character half of the time: whoever went wrong is less sure of what follows, as rewards of
 * sureness take for granted. Where a slip is followed by sure sums, as `withSlip` writes them, such rewards teach what is wrong.
 */
function unsure(digits: string, random: Random): string {
  const slipped = withSlip(digits, random);
  const right = sumsOf(digits);
  const lost = Array.from(slipped).findIndex((sum, at) => sum !== right[at]);
  return Array.from(slipped, (sum, at) =>
    lost >= 0 && at > lost && random.uniform() < 0.5 ? random.pick(Array.from(characters)) : sum,
  ).join("");
}
