import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawPicture, type Picture } from "../theory/picture.ts";

const folder = join(import.meta.dirname, "../../docs/methods");

/** Draws into docs/methods, where the pages on methods find it. */
export function saveMethodPicture(name: string, picture: Picture): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.svg`), drawPicture(picture));
}

export function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}
