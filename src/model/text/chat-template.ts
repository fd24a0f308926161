import { join } from "node:path";
import { invalid, type JsonObject, readFolderJson, readText } from "./folder-json.ts";

/** A template and the file that it stands in. */
export interface ChatTemplate {
  readonly text: string;
  readonly path: string;
}

/**
 * The template of a model's folder, in transformers' order: `chat_template.jinja`, then `chat_template` of
 * `tokenizer_config.json`, a text or a list of named ones of which the one called `default` counts; and of older
 * folders `chat_template.json`. Undefined where there is none. Throws `tokenizer-invalid`.
 */
export async function readChatTemplate(
  folder: string,
  config: JsonObject,
): Promise<ChatTemplate | undefined> {
  const file = join(folder, "chat_template.jinja");
  const text = await readText(file);
  if (text !== undefined) return { text, path: file };
  return (
    templateIn(join(folder, "tokenizer_config.json"), config) ??
    templateIn(join(folder, "chat_template.json"), await readFolderJson(folder, "chat_template.json"))
  );
}

function templateIn(path: string, holder: JsonObject | undefined): ChatTemplate | undefined {
  const template = holder?.chat_template ?? undefined;
  if (template === undefined) return undefined;
  const text = typeof template === "string" ? template : namedDefault(path, template);
  return { text, path };
}

/** Of `[{ name, template }]`, or of an object of them by name. */
function namedDefault(path: string, templates: unknown): string {
  const named: readonly (readonly [unknown, unknown])[] = Array.isArray(templates)
    ? templates.map((one: JsonObject | null) => [one?.name, one?.template] as const)
    : typeof templates === "object" && templates !== null
      ? Object.entries(templates)
      : [];
  const text = named.find(([name]) => name === "default")?.[1];
  if (typeof text === "string") return text;
  const names = named.map(([name]) => String(name)).join(", ");
  throw invalid(
    path,
    names === ""
      ? "has a chat_template that is no text"
      : `has chat templates (${names}), and none is "default"`,
  );
}
