import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fc, test as propertyTest } from "@fast-check/vitest";
import { expect, test } from "vitest";
import {
  passFingerprint,
  readPass,
  readPassHead,
  readPassOutput,
  type WirePass,
  writePass,
  writePassOutput,
} from "./forward-backward.ts";
import { ProtoReader } from "./protobuf.ts";
import { readSamples, writeSamples } from "./sample-response.ts";
import { floatsOf, floatTensor, tokensOf, tokenTensor } from "./tensor.ts";

const stored = JSON.parse(
  readFileSync(join(import.meta.dirname, "fixtures/messages.json"), "utf8"),
) as Record<"request" | "output" | "samples", string>;
const bytesOf = (name: keyof typeof stored): Buffer => Buffer.from(stored[name], "base64");

test("a request as the SDK writes it", () => {
  const pass = readPass(bytesOf("request"));
  expect(pass).toMatchObject({
    modelId: "s:train:0",
    sequence: 300,
    lossName: "ppo",
    forwardOnly: true,
    lossConfig: { clip_low_threshold: 0.75, loss_id: "mine" },
  });
  const [datum] = pass.data;
  expect(datum?.chunks).toEqual([
    { kind: "tokens", tokens: Int32Array.of(3, 70000, 5) },
    { kind: "tokens", tokens: Int32Array.of(6) },
    { kind: "image" },
  ]);
  const input = (name: string) => datum?.inputs.get(name) ?? tokenTensor(new Int32Array());
  expect(tokensOf(input("target_tokens"), "")).toEqual(Int32Array.of(70000, 5, -1, 7));
  expect(floatsOf(input("weights"), "")).toEqual(Float32Array.of(0, -1.5, 2, 1e-30));
  expect(input("advantages")).toEqual({ dtype: "float32", shape: [2, 300], dense: undefined });
  expect(readPassHead(bytesOf("request").subarray(0, 40))).toEqual({ modelId: "s:train:0", sequence: 300 });
});

test("an output as the SDK writes it, to the byte", () => {
  const output = { metrics: { "loss:sum": 6.5 }, logprobs: [Float32Array.of(-1, -2.5), Float32Array.of(-3)] };
  expect(readPassOutput(bytesOf("output"))).toEqual(output);
  expect(Buffer.from(writePassOutput(output))).toEqual(bytesOf("output"));
});

test("samples as the SDK writes them, to the byte", () => {
  const read = readSamples(bytesOf("samples"));
  expect(read.sequences).toEqual([
    { stopReason: "stop", tokens: Int32Array.of(7, 8), logprobs: Float32Array.of(-0.5, -1.25) },
    { stopReason: "length", tokens: Int32Array.of(7, 8), logprobs: Float32Array.of(-0.5, -1.25) },
  ]);
  expect(read.promptLogprobs).toEqual(Float32Array.of(Number.NaN, -2));
  expect(read.topPromptLogprobs).toEqual({
    k: 2,
    tokens: Int32Array.of(0, 0, 4, 5),
    logprobs: Float32Array.of(Number.NaN, Number.NaN, -1, -2),
  });
  expect(Buffer.from(writeSamples(read))).toEqual(bytesOf("samples"));
});

const ids = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })).map((list) => Int32Array.from(list));
const floats = fc.float32Array({ noDefaultInfinity: false });
const passes: fc.Arbitrary<WirePass> = fc.record({
  modelId: fc.string({ minLength: 1, unit: "binary" }),
  sequence: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  lossName: fc.string({ minLength: 1 }),
  lossConfig: fc.dictionary(fc.string({ minLength: 1 }), fc.oneof(fc.double(), fc.string()), { maxKeys: 3 }),
  forwardOnly: fc.boolean(),
  data: fc.array(
    fc.record({
      chunks: fc.array(
        ids.map((tokens) => ({ kind: "tokens" as const, tokens })),
        { maxLength: 3 },
      ),
      inputs: fc.tuple(ids, floats).map(
        ([tokens, values]) =>
          new Map([
            ["a", tokenTensor(tokens)],
            ["b", floatTensor(values)],
          ]),
      ),
    }),
    { maxLength: 3 },
  ),
});

propertyTest.prop([passes])("what is written is what is read", (pass) => {
  const read = readPass(writePass(pass));
  expect({ ...read, data: [] }).toEqual({ ...pass, lossConfig: { ...pass.lossConfig }, data: [] });
  for (const [index, { chunks, inputs }] of pass.data.entries()) {
    expect(read.data[index]?.chunks).toEqual(chunks);
    for (const [name, tensor] of inputs) {
      const other = read.data[index]?.inputs.get(name);
      expect(Buffer.from(other?.dense ?? [])).toEqual(Buffer.from(tensor.dense ?? []));
      expect(other).toMatchObject({ dtype: tensor.dtype });
    }
  }
  expect(passFingerprint(read)).toBe(passFingerprint(pass));
});

propertyTest.prop([passes, fc.nat(), fc.integer({ min: 0, max: 255 })])(
  "a damaged message is read as another, or refused in words; never anything else",
  (pass, place, byte) => {
    const bytes = Uint8Array.from(writePass(pass));
    bytes[place % bytes.length] = byte;
    for (const damaged of [bytes, bytes.subarray(0, place % bytes.length)])
      try {
        readPass(damaged);
      } catch (error) {
        expect(["malformed-protobuf", "wrong-shape", "wrong-dtype"]).toContain(
          (error as { code?: string }).code,
        );
      }
  },
);

test("the fingerprint tells calls apart, and not the order of their maps", () => {
  const inputs = [
    ["a", tokenTensor(Int32Array.of(1, 2))],
    ["b", floatTensor(Float32Array.of(1, 2))],
  ] as const;
  const pass = (order: typeof inputs, tokens = [1, 2]): WirePass => ({
    ...{ modelId: "m", sequence: 1, lossName: "ppo", lossConfig: {}, forwardOnly: false },
    data: [{ chunks: [{ kind: "tokens", tokens: Int32Array.from(tokens) }], inputs: new Map(order) }],
  });
  const one = passFingerprint(pass(inputs));
  expect(passFingerprint(pass([inputs[1], inputs[0]] as unknown as typeof inputs))).toBe(one);
  const others = [
    pass(inputs, [1, 3]),
    { ...pass(inputs), lossName: "dro" },
    { ...pass(inputs), lossConfig: { beta: 1 } },
    { ...pass(inputs), forwardOnly: true },
    { ...pass(inputs), data: [] },
  ];
  for (const other of others) expect(passFingerprint(other)).not.toBe(one);
  const divided = (...parts: readonly number[][]): string =>
    passFingerprint({ ...pass(inputs), data: parts.flatMap((tokens) => pass(inputs, tokens).data) });
  expect(divided([1, 2], [3])).not.toBe(divided([1], [2, 3]));
});

test("a message of more members than mean anything is refused before they fill the memory", () => {
  const repeated = (count: number, ...bytes: number[]): Buffer =>
    Buffer.from(new Array<number[]>(count).fill(bytes).flat());
  const delimited = (tag: number, inner: Uint8Array): Buffer => {
    const { length } = inner;
    const size = [(length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14];
    return Buffer.concat([Buffer.from([tag, ...size]), inner]);
  };
  const names = Buffer.concat(
    Array.from({ length: 65 }, (_, index) => Buffer.from([0x12, 5, 0x0a, 1, 0x30 + index, 0x12, 0])),
  );
  const datum = (inner: Uint8Array): Buffer => delimited(0x1a, inner);
  const tensor = (inner: Uint8Array): Buffer => datum(delimited(0x12, delimited(0x12, inner)));
  const cases: Readonly<Record<string, Buffer>> = {
    "examples, which several requests could have": repeated(2 ** 17 + 1, 0x1a, 0),
    "chunks in an example": datum(repeated(2 ** 16 + 1, 0x0a, 0)),
    "chunks and arrays in its examples": Buffer.concat(
      new Array<Buffer>(17).fill(datum(repeated(2 ** 16, 0x0a, 0))),
    ),
    "arrays in an example": datum(names),
    "integers in one field": tensor(repeated(65, 0x20, 1)),
    "settings of the loss": repeated(129, 0x2a, 0),
    "more than 4096 bytes": delimited(0x22, Buffer.alloc(4097, 0x61)),
  };
  for (const [says, body] of Object.entries(cases))
    expect(() => readPass(body), says).toThrow(
      expect.objectContaining({ code: "malformed-protobuf", message: expect.stringContaining(says) }),
    );
});

test("numbers: negative ones, ones at the edge, ones that are none", () => {
  const read = (...bytes: number[]): number => {
    const reader = new ProtoReader(Uint8Array.from([0x08, ...bytes]));
    reader.next();
    return reader.integer();
  };
  expect(read(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01)).toBe(-1);
  expect(read(0xac, 0x02)).toBe(300);
  expect(read(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f)).toBe(Number.MAX_SAFE_INTEGER);
  for (const bytes of [
    [0x80],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f],
    new Array<number>(11).fill(0x80),
  ])
    expect(() => read(...bytes)).toThrow(expect.objectContaining({ code: "malformed-protobuf" }));
});
