/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  /** `warn`: runs work, with less; `fail`: they do not. */
  readonly state: "ok" | "warn" | "fail";
  /** What was found. */
  readonly found: string;
  /** What to do; only where it is not ok. */
  readonly advice?: string;
}

export function ok(name: string, found: string): Check {
  return { name, state: "ok", found };
}

export function warn(name: string, found: string, advice: string): Check {
  return { name, state: "warn", found, advice };
}

export function fail(name: string, found: string, advice: string): Check {
  return { name, state: "fail", found, advice };
}
