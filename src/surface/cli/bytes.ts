/** A size for people. */
export function size(bytes: number): string {
  return bytes < 1e6
    ? `${Math.ceil(bytes / 1e3)} kB`
    : `${Math.round(bytes / 1e6).toLocaleString("en-US")} MB`;
}
