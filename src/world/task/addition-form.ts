/** How a sum is written. Operands and sums are strings of digits here, most significant first. */
export interface AdditionForm {
  /** For people, and for the message about a prompt that does not fit. */
  readonly shape: string;
  /** What stands in prompts and answers beside the ten digits. */
  readonly signs: string;
  /** Whether an operand may begin with zeros. */
  readonly leadingZeros: boolean;
  write(left: string, right: string): string;
  /** The operands of a prompt; undefined where it is not of this form. */
  read(prompt: string): readonly [string, string] | undefined;
  /** The answer for a sum that has exactly one digit more than the operands. */
  writeSum(sum: string): string;
}

const backwards = (digits: string): string => [...digits].reverse().join("");

/** Places where a carry moves are neighbours, and the answer can be written as it is worked out. */
const interleaved: AdditionForm = {
  shape: "a0b0a1b1…= (least significant digits first)",
  signs: "=",
  leadingZeros: true,
  write: (left, right) => {
    let prompt = "";
    for (let index = left.length - 1; index >= 0; index--) prompt += left.charAt(index) + right.charAt(index);
    return `${prompt}=`;
  },
  read: (prompt) => {
    if (!/^(\d\d)+=$/.test(prompt)) return undefined;
    let [left, right] = ["", ""];
    for (let index = prompt.length - 3; index >= 0; index -= 2) {
      left += prompt.charAt(index);
      right += prompt.charAt(index + 1);
    }
    return [left, right];
  },
  writeSum: backwards,
};

const reversed: AdditionForm = {
  shape: "a0a1…+b0b1…= (least significant digits first, operands of one length)",
  signs: "+=",
  leadingZeros: true,
  write: (left, right) => `${backwards(left)}+${backwards(right)}=`,
  read: (prompt) => {
    const operands = operandsOf(prompt);
    return operands && [backwards(operands[0]), backwards(operands[1])];
  },
  writeSum: backwards,
};

const plain: AdditionForm = {
  shape: "123+456= (operands of one length, without leading zeros)",
  signs: "+=",
  leadingZeros: false,
  write: (left, right) => `${left}+${right}=`,
  read: (prompt) => {
    const operands = operandsOf(prompt);
    return operands?.some((digits) => digits.length > 1 && digits.startsWith("0")) ? undefined : operands;
  },
  writeSum: (sum) => (sum.startsWith("0") ? sum.slice(1) : sum),
};

function operandsOf(prompt: string): readonly [string, string] | undefined {
  const [, left = "", right = ""] = /^(\d+)\+(\d+)=$/.exec(prompt) ?? [];
  return left.length > 0 && left.length === right.length ? [left, right] : undefined;
}

export const additionForms = { interleaved, plain, reversed } satisfies Record<string, AdditionForm>;
