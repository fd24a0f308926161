import { z } from "zod";
import type { CharacterTokenizer } from "../text/index.ts";

const count = z.number().int().min(1);

const isTokenizer = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "files" in value && "encode" in value;

const defaultMaxPositions = 2048;

export const tinyOptionsSchema = z
  .strictObject({
    layers: count.default(3),
    width: count.default(64),
    heads: count.default(2),
    keyValueHeads: count.optional(),
    hidden: count.optional(),
    positions: z.enum(["none", "rotary", "learned"]).default("none"),
    maxPositions: count.optional(),
    tied: z.boolean().default(false),
    tokenizer: z
      .custom<CharacterTokenizer>(isTokenizer, 'expected a tokenizer such as characters("0123456789=")')
      .optional(),
  })
  .superRefine(({ width, heads, keyValueHeads = heads, positions, maxPositions }, context) => {
    const refuse = (option: string, message: string) =>
      context.addIssue({ code: "custom", path: [option], message });
    if (width % heads !== 0) refuse("width", `${width} is no multiple of ${heads} heads`);
    else if (positions === "rotary" && (width / heads) % 2 !== 0)
      refuse("width", `${width / heads} a head is odd, and rotary positions turn pairs`);
    if (heads % keyValueHeads !== 0)
      refuse("keyValueHeads", `${heads} heads cannot share ${keyValueHeads} keys and values evenly`);
    if (positions === "learned" && maxPositions === undefined)
      refuse(
        "maxPositions",
        "learned positions need it: the most tokens that a prompt and its response have together, and 2 for begin and end",
      );
  });

type Given = Omit<z.output<typeof tinyOptionsSchema>, "tokenizer">;
export type TinyShape = { readonly [Option in keyof Given]-?: NonNullable<Given[Option]> };

/** Options with the defaults that depend on others. */
export function shapeOf({
  keyValueHeads,
  hidden,
  maxPositions = defaultMaxPositions,
  ...shape
}: Given): TinyShape {
  return {
    ...shape,
    keyValueHeads: keyValueHeads ?? shape.heads,
    // Two thirds of 4·width, as Llama has it, so that SwiGLU's three matrices cost what two of 4·width do.
    hidden: hidden ?? Math.max(8, 8 * Math.floor(shape.width / 3)),
    maxPositions,
  };
}

export interface TinyOptions {
  /** Default 3. */
  readonly layers?: number;
  /** Of the residual stream; default 64. */
  readonly width?: number;
  /** Of attention; default 2. */
  readonly heads?: number;
  /** Heads that keys and values have, shared by the others; default as many as `heads`. */
  readonly keyValueHeads?: number;
  /** Inner width of SwiGLU; default 8/3 of `width`, rounded down to a multiple of 8: 168 for 64. */
  readonly hidden?: number;
  /** How attention knows the order; `none`, the default, leaves it to the causal mask, and generalises to longer texts. */
  readonly positions?: "none" | "rotary" | "learned";
  /** Longest sequence in tokens; default 2,048. Learned positions have a row for each and need it; `none` has no limit. */
  readonly maxPositions?: number;
  /** Whether the head is the embedding's transpose; default false. */
  readonly tied?: boolean;
  /** Default: one token for each character that the task uses. */
  readonly tokenizer?: CharacterTokenizer;
}
