import { messageOf, userError, type WhetstoneError } from "../../foundation/base/index.ts";
import type { ChatFormat, Message, TokenIds } from "../../foundation/contract/index.ts";
import type { ChatTemplate } from "./chat-template.ts";
import { type CompiledTemplate, compileTemplate, TemplateRefusal } from "./compile-template.ts";

/** Templates that write a date write this one, as Llama's own do where they are given none: runs can be repeated. */
export const defaultToday = new Date(Date.UTC(2024, 6, 26));

export type Render = ChatFormat["render"];

interface RenderOptions {
  readonly folder: string;
  readonly template: ChatTemplate;
  /** `bos_token` and its kind, as the template reads them. */
  readonly variables: Readonly<Record<string, string>>;
  readonly today: Date;
}

/** Conversations as text. Throws user errors `chat-template-invalid` and, when rendering, `conversation-refused`. */
export function renderer({ folder, template, variables, today }: RenderOptions): Render {
  const broken = (error: unknown): WhetstoneError =>
    userError(
      "chat-template-invalid",
      `The chat template in ${template.path} cannot be used (${messageOf(error)}): mend it, or download it again.`,
      { path: template.path },
    );
  let compiled: CompiledTemplate;
  try {
    compiled = compileTemplate(template.text, today);
  } catch (error) {
    throw broken(error);
  }
  return (messages, { addGenerationPrompt = false } = {}) => {
    const refused = (reason: string): WhetstoneError => {
      const roles = messages.map(({ role }) => role).join(", ");
      const what = roles === "" ? "without messages" : `of ${roles}`;
      return userError(
        "conversation-refused",
        `The chat template of ${folder} refuses a conversation ${what}: ${reason}`,
        { folder },
      );
    };
    if (messages.length === 0) throw refused("it needs at least one.");
    try {
      return compiled.render({
        ...variables,
        messages: messages.map(({ role, content }) => ({ role, content })),
        tools: null,
        documents: null,
        add_generation_prompt: addGenerationPrompt,
      });
    } catch (error) {
      throw error instanceof TemplateRefusal ? refused(error.message) : broken(error);
    }
  };
}

interface FormatOptions {
  readonly render: Render;
  readonly encode: (text: string) => TokenIds;
  readonly endToken: number;
  /** Texts of the tokens that end or open a message: none may stand in a message. */
  readonly reserved: readonly string[];
}

/** A conversation's token ids: those of transformers' `apply_chat_template`. */
export function chatFormat({ render, encode, endToken, reserved }: FormatOptions): ChatFormat {
  const check = ({ role, content }: Message): void => {
    const found = reserved.find((token) => content.includes(token));
    if (found !== undefined) throw specialToken(found, role);
  };
  const promptText = (messages: readonly Message[]): string => {
    for (const message of messages) check(message);
    return render(messages, { addGenerationPrompt: true });
  };
  return {
    render,
    prompt: (messages) => encode(promptText(messages)),
    answer: (messages, response) => {
      const message = { role: "assistant", content: response };
      check(message);
      const asked = promptText(messages);
      const whole = render([...messages, message]);
      // What a template takes away from, or puts around, an answer belongs to it; the tokens of the prompt do not change.
      const written = whole.startsWith(asked) ? tailOf(encode(asked), encode(whole)) : undefined;
      const ids = written ?? encode(whole.startsWith(asked) ? whole.slice(asked.length) : response);
      const end = ids.indexOf(endToken);
      return end < 0 ? ended(encode(response), endToken) : ids.slice(0, end + 1);
    },
  };
}

/** A response as it stands, and the token that ends it. */
function ended(ids: TokenIds, endToken: number): TokenIds {
  const whole = new Int32Array(ids.length + 1);
  whole.set(ids);
  whole[ids.length] = endToken;
  return whole;
}

/** What follows the beginning; undefined where a token spans both. */
function tailOf(beginning: TokenIds, whole: TokenIds): TokenIds | undefined {
  return beginning.every((id, index) => whole[index] === id) ? whole.subarray(beginning.length) : undefined;
}

function specialToken(token: string, role: string): WhetstoneError {
  return userError(
    "special-token-in-text",
    `A message of ${role} holds ${JSON.stringify(token)}, which is a token of the model's own: it would end or open a ` +
      "message. Leave it out, or write it differently.",
    { token, role },
  );
}
