import { createInterface } from "node:readline";
import { isWhetstoneError, userError } from "../../../foundation/base/index.ts";
import { type Chat, type ChatAnswer, type ChatPartner, openChat } from "../../../loop/run.ts";
import { sideBySide } from "../../report/index.ts";
import { answer, tellError } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { interruptible } from "../interruption.ts";
import { projectFolder } from "../project-folder.ts";
import type { JsonFlags } from "../route-parts.ts";

export interface ChatFlags extends JsonFlags {
  readonly prompt?: string;
  readonly temperature?: number;
  readonly maxTokens?: number;
  readonly run?: string;
}

/** Champion and base answer side by side: one prompt, or line by line from the terminal or a pipe. */
export async function chatCommand(this: CliContext, flags: ChatFlags, where = "."): Promise<void> {
  await answer(this, flags.json, async () => {
    const { json, prompt, ...rest } = flags;
    if (prompt?.trim() === "") throw userError("empty-prompt", "The prompt is empty: --prompt TEXT.");
    const { output } = this;
    using interruption = interruptible({ say: () => {} });
    const { signal } = interruption;
    try {
      await using chat = await openChat({
        folder: projectFolder(where),
        ...rest,
        signal,
        onProgress: (label, done, total) => output.passing(`[${done}/${total}] ${label}`),
      });
      if (prompt === undefined) await converse(this, chat, { json, signal });
      else {
        if (!json) for (const line of form(chat)) output.note(line);
        show(this, json, prompt, await asked(this, chat, prompt, signal));
      }
      return signal.aborted ? exitCodes.interrupted : exitCodes.done;
    } catch (error) {
      if (!signal.aborted) throw error;
      return exitCodes.interrupted;
    }
  });
}

/** Line by line, until the input ends. What cannot be asked is said, and the conversation goes on. */
async function converse(
  context: CliContext,
  chat: Chat,
  { json, signal }: { readonly json: boolean | undefined; readonly signal: AbortSignal },
): Promise<void> {
  const { output } = context;
  if (!json) for (const line of greeting(chat)) output.note(line);
  const terminal = !json && process.stdin.isTTY === true && process.stdout.isTTY === true;
  const lines = createInterface({
    input: process.stdin,
    terminal,
    ...(terminal ? { output: process.stdout, prompt: "> " } : {}),
  });
  // A terminal that is read key by key gives Ctrl-C to its reader.
  lines.on("SIGINT", () => process.emit("SIGINT"));
  signal.addEventListener("abort", () => lines.close(), { once: true });
  if (terminal) lines.prompt();
  for await (const line of lines) {
    const prompt = line.trim();
    if (prompt === "/quit") break;
    if (prompt === "/clear") {
      chat.clear();
      if (!json) output.note("What was said is forgotten.");
    } else if (prompt !== "")
      try {
        show(context, json, prompt, await asked(context, chat, prompt, signal));
      } catch (error) {
        if (signal.aborted) break;
        if (!isWhetstoneError(error) || error.category !== "user") throw error;
        tellError(context, json, error);
      }
    if (terminal) lines.prompt();
  }
  lines.close();
  if (terminal) output.line();
}

function asked(
  { output }: CliContext,
  chat: Chat,
  prompt: string,
  signal: AbortSignal,
): Promise<readonly ChatAnswer[]> {
  output.passing("answering…");
  return chat.ask(prompt, { signal }).finally(() => output.passing(""));
}

function show(
  { output }: CliContext,
  json: boolean | undefined,
  prompt: string,
  answers: readonly ChatAnswer[],
): void {
  if (json) {
    output.json({ prompt, answers });
    return;
  }
  const sayings = answers.map((one) => ({
    name: `${nameOf(one)}${one.complete ? "" : ", cut off"}`,
    text: one.text,
  }));
  for (const line of sideBySide(sayings, output.columns)) output.line(line);
  output.line();
}

/** A prompt that is longer is no example at a glance. */
const shortPrompt = 80;

/** How the task asks, of which models know nothing else where they were taught no conversations. */
function form({ example }: Chat): string[] {
  const short = example !== null && example.length <= shortPrompt && !example.includes("\n");
  return short ? [`The task asks like this: ${example}`] : [];
}

function greeting(chat: Chat): string[] {
  const { models, conversational, run } = chat;
  const [only] = models;
  const who =
    models.length === 1 && only !== undefined
      ? `The champion of ${run} is still the base; it answers alone.`
      : `${models.map(nameOf).join(" and ")} of ${run} answer.`;
  const how = conversational ? "/clear forgets what was said, " : "";
  const alone = conversational ? [] : ["They were taught no conversations: each line stands alone."];
  return [
    `${who.charAt(0).toUpperCase()}${who.slice(1)}`,
    ...alone,
    ...form(chat),
    `${how}/quit or Ctrl-D ends.`,
  ];
}

function nameOf({ of, also, round }: ChatPartner): string {
  const made = of === "base" || round === 0 ? "" : ` (round ${round})`;
  return typeof of === "number" ? `round ${of}` : [of, ...also].join(" = ") + made;
}
