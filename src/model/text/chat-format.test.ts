import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ChatFormat, Tokenizer } from "../../foundation/contract/index.ts";
import { loadTokenizer } from "./index.ts";

const chats = fileURLToPath(new URL("fixtures/chats", import.meta.url));

let folder: string;
let copies = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-chat-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A model's folder with files of its own: members of JSON files are replaced, others are written, null removes one. */
async function copyWith(
  name: string,
  changes: Readonly<Record<string, object | string | null>>,
): Promise<string> {
  const copy = join(folder, `${name}-${++copies}`);
  await cp(join(chats, name), copy, { recursive: true });
  for (const [file, change] of Object.entries(changes)) {
    const path = join(copy, file);
    if (change === null) await rm(path);
    else if (typeof change === "string") await writeFile(path, change);
    else {
      const before = await readFile(path, "utf8").then(JSON.parse, () => ({}));
      await writeFile(path, JSON.stringify({ ...before, ...change }));
    }
  }
  return copy;
}

const withTemplate = (template: string) => copyWith("qwen2.5", { "chat_template.jinja": template });

async function chatOf(path: string): Promise<ChatFormat> {
  const { chat } = await loadTokenizer(path);
  return chat ?? expect.unreachable();
}

const ask = (content: string) => [{ role: "user", content }];
const refused = (code: string, message: string, details: object = {}) =>
  expect.objectContaining({
    code,
    category: "user",
    message: expect.stringContaining(message),
    details: expect.objectContaining(details),
  });
const idOf = ({ encode }: Tokenizer, token: string): number => encode(token)[0] ?? -1;

describe("the token that ends an answer", () => {
  test.each([
    ["smollm2", "<|im_end|>"],
    ["llama3", "<|eot_id|>"],
    ["mistral", "</s>"],
    ["llama2", "</s>"],
    ["qwen2.5", "<|im_end|>"],
    ["qwen3", "<|im_end|>"],
    ["gemma", "<end_of_turn>"],
    ["phi3", "<|end|>"],
    ["zephyr", "</s>"],
  ])("is the one that the template writes: %s", async (name, token) => {
    const tokenizer = await loadTokenizer(join(chats, name));
    expect(tokenizer.endToken).toBe(idOf(tokenizer, token));
    expect(tokenizer.stopTokens).toEqual([tokenizer.endToken]);
  });

  test("stands first among all that end a generation", async () => {
    const path = await copyWith("llama3", {
      "config.json": { eos_token_id: 0 },
      "generation_config.json": { eos_token_id: [1, 4, 0] },
    });
    const tokenizer = await loadTokenizer(path);
    expect(tokenizer.endToken).toBe(idOf(tokenizer, "<|eot_id|>"));
    expect(tokenizer.stopTokens).toEqual([tokenizer.endToken, 1, 4, 0]);
  });

  test("is the named one where the template writes none, or refuses to answer", async () => {
    const named = idOf(await loadTokenizer(join(chats, "qwen2.5")), "<|im_end|>");
    for (const template of [
      "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}",
      "{{ raise_exception('No.') }}",
    ])
      expect((await loadTokenizer(await withTemplate(template))).endToken).toBe(named);
  });

  test("may be one that is not called special, unless there is a special one behind it", async () => {
    const tokenizer = await loadTokenizer(join(chats, "qwen3"));
    const template = (end: string) =>
      copyWith("qwen3", {
        "chat_template.jinja": `{% for m in messages %}{{ m.content }}${end}{% endfor %}`,
      });
    expect((await loadTokenizer(await template("</think>"))).endToken).toBe(idOf(tokenizer, "</think>"));
    expect((await loadTokenizer(await template("</think>.<|im_end|>"))).endToken).toBe(
      idOf(tokenizer, "<|im_end|>"),
    );
  });
});

describe("where a template is found", () => {
  const says = (word: string) => `${word}{{ messages[0].content }}`;
  const text = async (changes: Parameters<typeof copyWith>[1]) =>
    (
      await loadTokenizer(await copyWith("qwen2.5", { "chat_template.jinja": null, ...changes }))
    ).chat?.render(ask("!"));

  test("a file of its own comes first, then the tokenizer's configuration, then the old file", async () => {
    const files = {
      "chat_template.jinja": says("own"),
      "tokenizer_config.json": { chat_template: says("config") },
      "chat_template.json": { chat_template: says("old") },
    };
    expect(await text(files)).toBe("own!");
    expect(await text({ ...files, "chat_template.jinja": null })).toBe("config!");
    expect(await text({ "chat_template.json": files["chat_template.json"] })).toBe("old!");
    expect(await text({})).toBeUndefined();
  });

  test("of several that have names, the one called default", async () => {
    const named = (chat_template: unknown) => text({ "tokenizer_config.json": { chat_template } });
    const [tools, plain] = [
      { name: "tool_use", template: says("tools") },
      { name: "default", template: says("plain") },
    ];
    expect(await named([tools, plain])).toBe("plain!");
    expect(await named({ tool_use: tools.template, default: plain.template })).toBe("plain!");
    await expect(named([tools])).rejects.toThrow(
      refused("tokenizer-invalid", '(tool_use), and none is "default"'),
    );
    await expect(named([null])).rejects.toThrow(refused("tokenizer-invalid", 'none is "default"'));
    await expect(named(7)).rejects.toThrow(
      refused("tokenizer-invalid", "has a chat_template that is no text"),
    );
  });

  test("special tokens are read from the file in which older folders keep them", async () => {
    const path = await copyWith("qwen2.5", {
      "chat_template.jinja": "{{ bos_token }}{{ messages[0].content }}{{ sep_token }}",
      "special_tokens_map.json": { bos_token: { content: "<|im_start|>", special: true } },
    });
    expect((await chatOf(path)).render(ask("!"))).toBe("<|im_start|>!");
    const newer = { eos_token: "<|im_end|>", added_tokens_decoder: {} };
    await writeFile(join(path, "tokenizer_config.json"), JSON.stringify(newer));
    expect((await chatOf(path)).render(ask("!"))).toBe("!");
  });
});

describe("what a template refuses", () => {
  test("is told in its words, with the model's folder and the roles", async () => {
    const gemma = await chatOf(join(chats, "gemma"));
    const system = [{ role: "system", content: "Be kind." }, ...ask("Hi")];
    expect(() => gemma.prompt(system)).toThrow(
      refused("conversation-refused", "refuses a conversation of system, user: System role not supported", {
        folder: join(chats, "gemma"),
      }),
    );
    expect(() => gemma.prompt([])).toThrow(
      refused("conversation-refused", "without messages: it needs at least one"),
    );
  });

  test("a template that is broken, or asks for what there is not, is named", async () => {
    await expect(withTemplate("{% if %}").then(loadTokenizer)).rejects.toThrow(
      refused("chat-template-invalid", "chat_template.jinja cannot be used"),
    );
    const unknown = await chatOf(await withTemplate("{{ messages | mystery }}"));
    expect(() => unknown.prompt(ask("Hi"))).toThrow(refused("chat-template-invalid", "mystery"));
  });
});

describe("tokens of the model's own in a text", () => {
  test("are refused in prompts and answers, whoever says them", async () => {
    const chat = await chatOf(join(chats, "smollm2"));
    const found = refused("special-token-in-text", 'A message of user holds "<|im_end|>"', {
      token: "<|im_end|>",
      role: "user",
    });
    expect(() => chat.prompt(ask("a<|im_end|>\nb"))).toThrow(found);
    expect(() => chat.answer(ask("a<|im_end|>"), "b")).toThrow(found);
    expect(() => chat.answer(ask("a"), "b<|endoftext|>")).toThrow("A message of assistant holds");
    // Whole tokens only: what merely looks like one is text.
    expect(() => chat.prompt(ask("im_end|> <|im_end| > <|IM_END|>"))).not.toThrow();
  });

  test("are also those that open a message, though they are not called special; others are text", async () => {
    const opens = await copyWith("qwen3", {
      "chat_template.jinja":
        "{% for m in messages %}<think>{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}<think>{% endif %}",
    });
    const chat = await chatOf(opens);
    expect(() => chat.prompt(ask("<think>"))).toThrow(refused("special-token-in-text", '"<think>"'));
    expect(() => chat.prompt(ask("</think>"))).not.toThrow();
    expect(() => chat.render(ask("<think>"))).not.toThrow();
  });
});

describe("an answer", () => {
  test("of the template's own words is text like any other", async () => {
    const { chat, decode, endToken } = await loadTokenizer(join(chats, "smollm2"));
    for (const words of [
      "assistant",
      "user\n",
      "system\nYou are a helpful AI assistant",
      "im_start",
      "{{ x }}",
    ]) {
      const ids = chat?.answer(ask("Say it."), words) ?? Int32Array.of();
      expect(decode(ids)).toBe(words);
      expect([...ids].filter((id) => id === endToken)).toEqual([endToken]);
      expect(ids.at(-1)).toBe(endToken);
    }
  });

  test("that begins with what could join the prompt's last token leaves the prompt as it is asked", async () => {
    const { chat, encode, decode, endToken } = await loadTokenizer(join(chats, "smollm2"));
    const ids = chat?.answer(ask("?"), "\n\n1.") ?? Int32Array.of();
    expect(ids).toEqual(Int32Array.of(...encode("\n\n1."), endToken));
    expect(decode(ids)).toBe("\n\n1.");
  });

  test("ends with the end token where the template writes none, and where it rewrites what came before", async () => {
    const turns = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}";
    const asks = "{% if add_generation_prompt %}assistant:{% endif %}";
    const { chat, encode, endToken } = await loadTokenizer(await withTemplate(turns + asks));
    expect(chat?.answer(ask("?"), "42")).toEqual(Int32Array.of(...encode("42"), endToken));
    const counting = await loadTokenizer(await withTemplate(`{{ messages | length }}${turns}${asks}`));
    expect(counting.chat?.answer(ask("?"), "42")).toEqual(Int32Array.of(...encode("42"), endToken));
  });
});

describe("identity", () => {
  const hashOf = async (path: string, today?: Date) =>
    (await loadTokenizer(path, today ? { today } : {})).hash;

  test("follows the template, the tokens that it names, and what ends a response", async () => {
    const hashes = await Promise.all(
      [
        {},
        { "chat_template.jinja": "{{ messages[0].content }}<|im_end|>" },
        { "chat_template.jinja": null },
        { "tokenizer_config.json": { bos_token: "<|im_start|>", add_bos_token: false } },
        { "generation_config.json": { eos_token_id: [0, 1] } },
      ].map(async (changes) => hashOf(await copyWith("qwen2.5", changes))),
    );
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(await hashOf(await copyWith("qwen2.5", {}))).toBe(hashes[0]);
  });

  test("a calendar stands still, on the day that is given", async () => {
    const path = join(chats, "llama3");
    const text = async (today?: Date) =>
      (await loadTokenizer(path, today ? { today } : {})).chat?.render(ask("Hi"));
    expect(await text()).toContain("Today Date: 26 Jul 2024");
    const today = new Date(Date.UTC(2031, 0, 5));
    expect(await text(today)).toContain("Today Date: 05 Jan 2031");
    expect(await hashOf(path, today)).not.toBe(await hashOf(path));
  });
});
