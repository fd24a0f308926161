import type { MethodPage, Pass } from "whetstone";

/** Roles of the base that parts ask beside the one that solves, in one word each. */
const played: Readonly<Record<string, string>> = {
  propose: "proposes",
  "ask documents": "asks about documents",
  "round trip": "answers with the document in view",
  debate: "debates",
  revisions: "revises",
  "from guidelines": "plans",
  "with search": "searches",
  edits: "writes edits",
  judge: "judges",
};
/** Of these, whose word decides what is rewarded: it may know what no answer of the solver shows. */
const deciding = ["round trip", "debate", "judge"];

/** What is shown to the weights beside the item, by the part that shows it. */
const shown: Readonly<Record<string, string>> = {
  "ask documents": "documents",
  "with search": "documents",
  "with hints": "the answer in view, where it failed",
  "from guidelines": "general guidelines",
  "continuation gain": "true answers",
};

/** They learn answers only, and need their other roles again in each round. */
export const forgetsItsRoles = ["regenesis", "self"];

/** Names of what a pass is made of, and of what these are made of. */
function partsOf({ generate, reward }: Pass): string[] {
  const within = [generate, reward].flatMap(({ description }) => Object.values(description));
  return [generate.name, reward.name, ...within].filter((name) => typeof name === "string");
}

const partsOfAll = (page: MethodPage): string[] => [...new Set(page.make().passes.flatMap(partsOf))];

/** The weights that learn, and what else the same weights play. */
export function learnedBy(page: MethodPage): string {
  const { roles } = page.make();
  const more = partsOfAll(page).flatMap((part) => played[part] ?? []);
  return [roles.join(", "), ...more].join("; ");
}

/** What comes from outside the model, beside the items themselves. */
export function givenTo(page: MethodPage): string {
  const { name, reward, ranksBy } = page;
  const parts = partsOfAll(page).flatMap((part) => shown[part] ?? []);
  const verdict = reward === "external" && !parts.includes("true answers") ? ["the verifier's verdict"] : [];
  const given = [
    ...verdict,
    ...(reward === "none" ? ["demonstrations"] : []),
    ...new Set(parts),
    ...(forgetsItsRoles.includes(name) ? ["demonstrations of roles again"] : []),
    ...(ranksBy === undefined ? [] : ["best of two, before and after"]),
  ];
  return given.length === 0 ? "nothing" : given.join("; ");
}

/** Its reward rests on what the solver answers, and on no other role's word: it cannot bring out more than the base knows as a solver. */
export function restsOnAnswers(page: MethodPage): boolean {
  return page.reward === "self-derived" && !partsOfAll(page).some((part) => deciding.includes(part));
}
