import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Guard, StepEvidence } from "../../foundation/contract/index.ts";
import { actionSchema, answerBy, type Finding, silent } from "./finding.ts";

const optionsSchema = z.strictObject({ action: actionSchema.default("stop") });
export type ItemIdentityOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * No item of the validation, decision or audit split is learnt from: each is found by its canonical form, made anew, whatever the
 * item says of itself; splits are hashes, so no other item is looked at, but where documents are read: none of these may quote decision or
 * audit items. Keeps the step from being made. An item whose form or split
 * is not what it says of itself, though it may be learnt from, warns.
 *
 * @example
 * defineRun({ task: reverse(), guard: [itemIdentity()] });
 */
export function itemIdentity(options: ItemIdentityOptions = {}): Guard {
  const { action } = readOptions("itemIdentity()", optionsSchema, options);
  const watch = ({ trained }: StepEvidence): Finding => {
    if (trained === null) return silent("it is not known what was learnt from");
    const { items, foreign, misnamed, documents } = trained;
    const quoting = documents?.quoting ?? 0;
    const named = Object.entries(foreign).filter(([, count]) => count > 0);
    const leaked = named.reduce((sum, [, count]) => sum + count, 0);
    const which = named.map(([split, count]) => `${count} of the ${split} split`).join(", ");
    const wrongly = misnamed === 0 ? "" : `; ${misnamed} say another form or split of themselves`;
    const told = {
      evidence: `${leaked === 0 ? `none of ${items} items belongs to another split` : `of ${items} items to learn from ${which}`}${wrongly}${quoted(documents)}`,
      value: leaked + quoting,
      threshold: 0,
    };
    if (leaked + quoting > 0) return { ...answerBy(action), ...told };
    return { answer: misnamed > 0 ? "warn" : "ok", ...told };
  };
  const quoted = (documents: { readonly read: number; readonly quoting: number } | undefined): string =>
    documents === undefined
      ? ""
      : documents.quoting === 0
        ? `; of ${documents.read} documents none quotes decision or audit items`
        : `; of ${documents.read} documents ${documents.quoting} quote decision or audit items: take them out, or what is measured was read before`;
  return {
    name: "item identity",
    definition:
      "Nothing is learnt from items of the validation, decision or audit split, nor from documents that quote decision or audit items.",
    description: { action },
    watch,
    watchStep: watch,
  };
}
