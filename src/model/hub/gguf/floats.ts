/** The value of each 16-bit float (IEEE 754 binary16), by its bits. */
export const halves: Float32Array = Float32Array.from({ length: 65536 }, (_, bits) => half(bits));

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** 32-bit floats as bfloat16, each rounded to the nearest, ties to even. */
export function toBrainFloats(values: Float32Array): Uint8Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const rounded = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const one = bits[i] as number;
    // Rounding could carry a NaN over into an infinity.
    const undefinedNumber = (one & 0x7fffffff) > 0x7f800000;
    rounded[i] = undefinedNumber ? (one >>> 16) | 0x40 : (one + 0x7fff + ((one >>> 16) & 1)) >>> 16;
  }
  return new Uint8Array(rounded.buffer);
}
