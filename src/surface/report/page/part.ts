import { unbroken } from "../words.ts";
import { type Content, html, type Markup } from "./html.ts";

export interface Part {
  readonly id: string;
  readonly title: string;
  /** One or two sentences on how to read it. */
  readonly lead?: string;
  readonly body: Content;
}

/** A section of the page. */
export function part({ id, title, lead, body }: Part): Markup {
  return html`<section class="part" id="${id}" aria-labelledby="${id}-title">
<header><h2 id="${id}-title">${title}</h2>${lead === undefined ? "" : html`<p>${unbroken(lead)}</p>`}</header>
${body}</section>`;
}
