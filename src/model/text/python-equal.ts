/** A value of a template, as the library holds it. */
export interface Held {
  readonly type: string;
  readonly value: unknown;
}

const numbers = new Set(["IntegerValue", "FloatValue", "BooleanValue"]);

/** `==` of Python: no text is a number, what is absent is not none, and lists of the same are the same. */
export function equal(one: Held, other: Held): boolean {
  if (numbers.has(one.type) && numbers.has(other.type)) return Number(one.value) === Number(other.value);
  if (one.type !== other.type) return false;
  if (Array.isArray(one.value)) {
    const others = other.value as readonly Held[];
    return (
      one.value.length === others.length && one.value.every((held, at) => equal(held, others[at] as Held))
    );
  }
  if (one.value instanceof Map) {
    const others = other.value as ReadonlyMap<string, Held>;
    const same = ([name, held]: [string, Held]): boolean => {
      const against = others.get(name);
      return against !== undefined && equal(held, against);
    };
    return one.value.size === others.size && [...(one.value as Map<string, Held>)].every(same);
  }
  return one.value === other.value;
}
