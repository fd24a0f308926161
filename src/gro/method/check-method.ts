import { nearest, userError } from "../../foundation/base/index.ts";
import type { Method } from "../method.ts";
import { waysToLearn } from "../update/index.ts";
import { whatPartsLack } from "./part-schemas.ts";

/** Of an item in one pass: all of a batch are asked for at once, and what is asked for cannot be ended before it is made. */
const mostSamples = 65_536;

/** Refuses a method whose roles do not fit each other, as one that was written by hand may be, with the user error `invalid-method`. */
export function checkMethod({ name, roles, passes, lead, deliver, learnsBy }: Method): void {
  const refuse = (why: string): never => {
    throw userError("invalid-method", `The method ${name} ${why}.`);
  };
  const known = (role: string, where: string): void => {
    if (roles.includes(role)) return;
    const meant = nearest(role, roles);
    refuse(
      `names the role ${JSON.stringify(role)} ${where}, and its roles are ${roles.join(", ")}${meant === undefined ? "" : `; did you mean ${meant}?`}`,
    );
  };
  const twice = (among: readonly string[]): string | undefined =>
    among.find((role, place) => among.indexOf(role) !== place);
  if (roles.length === 0) refuse("has no roles");
  if (passes.length === 0) refuse("has no passes: it would learn nothing");
  if (twice(roles) !== undefined) refuse(`has the role ${twice(roles)} twice`);
  known(lead, "as its lead");
  for (const role of deliver) known(role, "among those that it delivers");
  if (!deliver.includes(lead))
    refuse(`does not deliver ${lead}, which leads: what it learnt would be lost with each round`);
  if (!waysToLearn.includes(learnsBy))
    refuse(`learns by ${JSON.stringify(learnsBy)}: it is ${waysToLearn.join(", ")}`);
  for (const [place, pass] of passes.entries()) {
    const where = `in pass ${place + 1}`;
    const lacking = whatPartsLack(pass);
    if (lacking !== undefined) refuse(`has a part ${where} that is none: ${lacking}`);
    for (const role of [...pass.roles, ...(pass.writers ?? []), ...(pass.asks ?? [])]) known(role, where);
    for (const role of Object.keys(pass.updates ?? {})) known(role, where);
    const { samplesPerItem } = pass.generate;
    if (samplesPerItem > mostSamples)
      refuse(
        `asks for ${samplesPerItem.toLocaleString("en")} samples of each item ${where}: at most ${mostSamples.toLocaleString("en")} are taken`,
      );
    if (twice(pass.roles) !== undefined) refuse(`has the role ${twice(pass.roles)} twice ${where}`);
  }
}
