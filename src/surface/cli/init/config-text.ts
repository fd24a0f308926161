import type { Answers } from "./answers.ts";
import { recipes } from "./recipes.ts";

/** A model that has read much before needs few and small steps. */
const gentle = "steps: 200, batch: 16, learningRate: 1e-4";

/** The text of a whetstone.config.ts. */
export function configText(answers: Answers): string {
  const { task, model, rounds } = answers;
  const { what, imports, model: shapes, prepare, optimize, task: taskOf } = recipes[task];
  const [method, why] = optimize;
  const scratch = model.kind === "scratch";
  const names = ["defineRun", "demonstrations", "supervised", ...imports, ...(scratch ? ["tiny"] : [])];
  return `import { ${names.sort().join(", ")} } from "whetstone";

/** ${what} */
export default defineRun({
  name: ${JSON.stringify(task)},
  model: ${scratch ? `tiny(${shapes[model.size]})` : JSON.stringify(model.kind === "named" ? model.name : model.path)},
  task: ${taskOf(answers)},
  prepare: supervised({ on: demonstrations(), ${scratch ? prepare : gentle} }),
  optimize: ${method}, // ${why}
  budget: { rounds: ${rounds} },
});
`;
}
