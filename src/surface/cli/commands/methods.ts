import { nearest, userError } from "../../../foundation/base/index.ts";
import type { Pass } from "../../../gro/method.ts";
import { type ListedMethod, methods } from "../../../lifecycle/optimize/index.ts";
import { answer } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { columns } from "../describe.ts";
import type { JsonFlags } from "../route-parts.ts";

/** Every method, by paradigm. */
export async function methodsCommand(this: CliContext, flags: JsonFlags): Promise<void> {
  const { output } = this;
  await answer(this, flags.json, async () => {
    const all = methods();
    if (flags.json) output.json(all.map(briefOf));
    else {
      const width = Math.max(...all.map(({ name }) => name.length));
      for (const [paradigm, pages] of Map.groupBy(all, (page) => page.paradigm)) {
        output.line(paradigm.toUpperCase());
        for (const page of pages)
          output.line(
            `  ${page.name.padEnd(width)}  ${page.reward.padEnd(12)}  ${costWords(page).padStart(5)}  ${page.source}`,
          );
        output.line("");
      }
      output.line(
        "Columns: name, where its reward comes from, cost of a round as a multiple of rejection-sampling's, source.\n" +
          "`whetstone methods show NAME` says what one does, and how to vary it.",
      );
    }
    return 0;
  });
}

/** One method's page. Throws a user error `unknown-method`. */
export async function showMethod(this: CliContext, flags: JsonFlags, name: string): Promise<void> {
  const { output } = this;
  await answer(this, flags.json, async () => {
    const page = pageOf(name);
    const { description, roles, passes } = page.make();
    if (flags.json)
      output.json({
        ...briefOf(page),
        title: page.title,
        summary: page.summary,
        formula: page.formula,
        checked: page.checked,
        ...(page.differs === undefined ? {} : { differs: page.differs }),
        defaults: page.defaults,
        composition: description,
        passes: passes.map(passOf),
        vary: page.vary.map(([call, what]) => ({ call, what })),
      });
    else {
      output.line(
        `${page.title} · ${page.paradigm} · reward ${page.reward} · ${costWords(page)} the cost of rejection sampling`,
      );
      output.line(`\n${page.summary}\n\nFORMULA\n  ${page.formula}`);
      output.line(`\nSOURCE\n  ${page.source}`);
      if (!page.checked)
        output.line(
          "  [M] built from its description: not compared with the paper's text or code, no equality is claimed",
        );
      if (page.differs !== undefined) output.line(`  differs   ${page.differs}`);
      output.line("\nCOMPOSITION");
      output.line(`  roles     ${roles.join(", ")}`);
      const said = Object.entries(description).filter(
        ([option, value]) => typeof value !== "object" && !toldOfPasses.has(option),
      );
      const defaults = Object.entries({ ...page.defaults, ...Object.fromEntries(said) });
      if (defaults.length > 0) output.line(`  defaults  ${pairsOf(defaults)}`);
      for (const [index, pass] of passes.entries()) {
        const number = passes.length === 1 ? "" : ` ${index + 1}`;
        output.line(
          `  pass${number}${" ".repeat(10 - 4 - number.length)}${learnersOf(pass)}${pass.repeat === 1 ? "" : `, ${pass.repeat} times on ${pass.items ?? "all"} items`}, from the ${pass.start} weights`,
        );
        const items = itemsWords(pass);
        if (items !== undefined) output.line(`  items     ${items}`);
        for (const [kind, part] of [
          ["generate", pass.generate],
          ["reward", pass.reward],
          ["update", pass.update],
        ] as const)
          output.line(`  ${kind.padEnd(10)}${part.name}${wordsOf(part)}`);
        for (const [role, update] of Object.entries(pass.updates ?? {}))
          output.line(`  ${`of ${role}`.padEnd(9)} ${update.name}${wordsOf(update)}`);
        if (pass.buffer !== undefined)
          output.line(`  buffer    ${pass.buffer.name}, of at most ${pass.buffer.most} groups of all rounds`);
      }
      if (page.ranksBy !== undefined)
        output.line(`  refine    bestOfN({ by: "${page.ranksBy}" }) ranks candidates by what is delivered`);
      output.line(`\nVARY\n${columns(page.vary).join("\n")}`);
    }
    return 0;
  });
}

function pageOf(name: string): ListedMethod {
  const all = methods();
  // `vStar`, as a config has it, is `v-star`.
  const plain = (word: string): string => word.toLowerCase().replaceAll("-", "");
  const page = all.find((one) => [one.name, one.title].map(plain).includes(plain(name)));
  if (page !== undefined) return page;
  const meant = nearest(
    name,
    all.map((one) => one.name),
  );
  throw userError(
    "unknown-method",
    `There is no method "${name}"${meant === undefined ? "." : `; did you mean ${meant}?`} \`whetstone methods\` lists all.`,
    { name },
  );
}

function briefOf({ name, paradigm, reward, cost, source }: ListedMethod) {
  return { name, paradigm, reward, cost, source };
}

function costWords(page: ListedMethod): string {
  return `${page.cost}×`;
}

/** Who learns in a pass; where nobody does, who writes. */
function learnersOf({ roles, writers = [] }: Pass): string {
  return roles.length > 0 ? roles.join(", ") : `${writers.join(", ")} writes and nobody learns`;
}

/** What a pass learns from, where that is not the round's selection. */
function itemsWords({ itemsFrom, needsDemonstrations, noItems }: Pass): string | undefined {
  if (itemsFrom === undefined) return undefined;
  const those = needsDemonstrations === true ? "those that are demonstrated" : "what the pass before it made";
  return noItems === undefined ? those : `${those}; none where ${noItems}`;
}

/** A pass for programs. */
function passOf(pass: Pass) {
  const { roles, writers = roles, repeat, start, items, updates = {} } = pass;
  const from = itemsWords(pass);
  const named = (part: Part & { readonly name: string }) => ({ part: part.name, ...settingsOf(part) });
  return {
    roles,
    writers,
    repeat,
    start,
    ...(items === undefined ? {} : { items }),
    ...(from === undefined ? {} : { itemsFrom: from }),
    generate: named(pass.generate),
    reward: named(pass.reward),
    update: named(pass.update),
    ...(Object.keys(updates).length === 0
      ? {}
      : { updates: Object.fromEntries(Object.entries(updates).map(([role, own]) => [role, named(own)])) }),
  };
}

/** Options of a whole method that the line of its pass says. */
const toldOfPasses = new Set(["repeat", "start"]);

interface Part {
  readonly description: Readonly<Record<string, unknown>>;
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** A part's options with their values: as it is described, and then those that it is not described by because they are as usual. */
function settingsOf({ description, settings = {} }: Part): Readonly<Record<string, unknown>> {
  const unsaid = Object.entries(settings).filter(
    ([option, value]) => value !== undefined && typeof value !== "object" && !(option in description),
  );
  return { ...description, ...Object.fromEntries(unsaid) };
}

function wordsOf(part: Part): string {
  const entries = Object.entries(settingsOf(part));
  return entries.length === 0 ? "" : `: ${pairsOf(entries)}`;
}

function pairsOf(entries: readonly (readonly [string, unknown])[]): string {
  return entries.map(([option, value]) => `${option} ${valueWords(value)}`).join(", ");
}

function valueWords(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(", ")}]` : `${value ?? "left out"}`;
}
