import { nearest } from "../../../foundation/base/index.ts";
import type { Message } from "../../../foundation/contract/index.ts";
import { type Fault, isFault, messagesOf, plainText } from "./messages.ts";
import { mostRowBytes, type RawRow, type Read } from "./row.ts";

/** Which of a file's columns holds what. */
export interface Columns {
  readonly prompt: string;
  readonly answer: string;
  readonly completion: string;
  readonly messages: string;
  readonly kind: string;
  readonly id: string;
}

/** One row, understood. */
export interface Row {
  readonly line: number;
  /** The last message to answer. */
  readonly prompt: string;
  /** The conversation, where it is more than one message of the user's. */
  readonly messages?: readonly Message[];
  /** The reference answer. */
  readonly answer: string;
  /** How to answer, where it is more than the answer. */
  readonly completion?: string;
  readonly kind?: string;
  readonly id?: string;
}

type Cells = RawRow["columns"];

/**
 * Understands the shapes `prompt` and `answer`, `prompt` and `completion` (of both, the completion shows how to come to the
 * answer), and `messages`, whose last one, by the assistant, is the answer. A prompt may be a list of messages too.
 */
export function rowOf({ line, columns }: RawRow, names: Columns): Read<Row> {
  const row = understood(columns, names);
  return isFault(row) ? { line, ...row } : { line, ...row };
}

function understood(cells: Cells, names: Columns): Omit<Row, "line"> | Fault {
  const conversation = conversationOf(cells, names);
  if (isFault(conversation)) return conversation;
  const last = conversation.at(-1);
  const said = last?.role === "assistant" && filled(cells[names.messages]) ? last.content : undefined;
  const asked = said === undefined ? conversation : conversation.slice(0, -1);
  const question = asked.at(-1);
  if (question === undefined) return { reason: "lacks-prompt", detail: "nothing stands before its answer" };
  if (question.content.trim() === "") return { reason: "empty-prompt", detail: "its prompt is empty" };
  if (question.role === "assistant")
    return { reason: "wrong-type", detail: "its prompt ends with a message by the assistant" };
  const answers = answersOf(cells, names, said);
  if (isFault(answers)) return answers;
  const [kind, id] = [wordOf(cells, names.kind), wordOf(cells, names.id)];
  if (isFault(kind)) return kind;
  if (isFault(id)) return id;
  const simple = asked.length === 1 && question.role === "user";
  const row = {
    prompt: question.content,
    ...(simple ? {} : { messages: asked }),
    ...answers,
    ...(kind === "" ? {} : { kind }),
    ...(id === "" ? {} : { id }),
  };
  return textFault(row) ?? row;
}

/** All messages that the row has, its answer among them where it is one of them. */
function conversationOf(cells: Cells, names: Columns): readonly Message[] | Fault {
  const { [names.messages]: messages, [names.prompt]: prompt } = cells;
  if (filled(messages)) return messagesOf(messages, names.messages);
  if (prompt === undefined || prompt === null)
    return lacking("prompt", [names.prompt, names.messages], cells);
  if (Array.isArray(prompt)) return messagesOf(prompt, names.prompt);
  const content = plainText(prompt, names.prompt);
  return isFault(content) ? content : [{ role: "user", content }];
}

function answersOf(
  cells: Cells,
  names: Columns,
  said: string | undefined,
): Pick<Row, "answer" | "completion"> | Fault {
  const { [names.answer]: given, [names.completion]: shown } = cells;
  const completion = said ?? (filled(shown) ? completionOf(shown, names.completion) : undefined);
  if (completion !== undefined && isFault(completion)) return completion;
  const answer = filled(given) ? plainText(given, names.answer) : completion;
  if (answer === undefined)
    return [given, shown].includes("")
      ? { reason: "empty-answer", detail: "its answer is empty" }
      : lacking("answer", [names.answer, names.completion, names.messages], cells);
  if (isFault(answer)) return answer;
  if (answer.trim() === "" || completion?.trim() === "")
    return { reason: "empty-answer", detail: "its answer is empty" };
  return completion === undefined || completion === answer ? { answer } : { answer, completion };
}

/** Text, or a list with the assistant's one message. */
function completionOf(value: unknown, name: string): string | Fault {
  if (!Array.isArray(value)) return plainText(value, name);
  const messages = messagesOf(value, name);
  if (isFault(messages)) return messages;
  const [only, ...more] = messages;
  return only?.role === "assistant" && more.length === 0
    ? only.content
    : { reason: "wrong-type", detail: `${name} is not one message by the assistant` };
}

function filled(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}

function wordOf(cells: Cells, name: string): string | Fault {
  const text = filled(cells[name]) ? plainText(cells[name], name) : "";
  return isFault(text) ? text : text.trim();
}

function lacking(what: "prompt" | "answer", wanted: readonly string[], cells: Cells): Fault {
  const names = Object.keys(cells);
  const have = names.length === 0 ? "it has no columns" : `it has ${names.slice(0, 8).join(", ")}`;
  const meant = names
    .map((name) => ({ name, like: nearest(name, wanted) }))
    .find(({ name, like }) => like !== undefined && !wanted.includes(name));
  const hint = meant === undefined ? "" : `; are "${meant.name}" and "${meant.like}" meant to be the same?`;
  return { reason: `lacks-${what}`, detail: `it needs ${wanted.join(" or ")}, and ${have}${hint}` };
}

/** What no tokenizer could read, or nobody could hold. */
function textFault(row: Omit<Row, "line">): Fault | undefined {
  const texts = [
    row.prompt,
    row.answer,
    row.completion ?? "",
    row.kind ?? "",
    row.id ?? "",
    ...(row.messages ?? []).map(({ content }) => content),
  ];
  if (texts.reduce((sum, { length }) => sum + length, 0) > mostRowBytes)
    return { reason: "too-long", detail: "its texts are that long together" };
  if (texts.some((text) => text.includes("\0")))
    return { reason: "nul-character", detail: "a character \\u0000 stands in its text" };
  return texts.every((text) => text.isWellFormed())
    ? undefined
    : { reason: "not-unicode", detail: "half of a surrogate pair stands alone, such as \\ud800" };
}
