/** How a tensor's numbers are stored: `size` of them in `bytes`. */
export interface Quantisation {
  readonly name: string;
  readonly size: number;
  readonly bytes: number;
  /** Fills `values`, a whole number of blocks, from as many blocks of bytes. */
  readonly dequantise: (blocks: Uint8Array, values: Float32Array) => void;
}

/** Of one block: its bytes begin at `at` in `blocks`, its numbers at `to` in `values`. */
export type BlockReader = (blocks: Uint8Array, at: number, values: Float32Array, to: number) => void;

export function blockwise(name: string, size: number, bytes: number, read: BlockReader): Quantisation {
  return {
    name,
    size,
    bytes,
    dequantise: (blocks, values) => {
      for (let at = 0, to = 0; to < values.length; at += bytes, to += size) read(blocks, at, values, to);
    },
  };
}
