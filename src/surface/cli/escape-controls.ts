/** Control characters but line ends and tabs, and characters that turn the direction of writing. */
const controls = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/**
 * Text from anywhere for a terminal: what could move the cursor, change colours or hide words is written out, as `\u001b`. In
 * JSON that is the same text.
 */
export function escapeControls(text: string): string {
  return text.replace(controls, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
