/** `html`, a template tag that escapes every value not made by itself: labels, paths and messages are untrusted. */

/** A piece of finished markup, put into templates as it is. Made by `html`; by hand only from text that is the project's own. */
export class Html {
  constructor(readonly markup: string) {}
}

/** What may stand in a template: lists are joined, undefined and null vanish. */
export type HtmlValue = Html | string | number | undefined | null | readonly HtmlValue[];

/** A template whose values are escaped, in text and inside quoted attributes alike. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.map((text, i) => (i === 0 ? text : markupOf(values[i - 1]) + text)).join(''));
}

function markupOf(value: HtmlValue): string {
  if (value === undefined || value === null) return '';
  if (value instanceof Html) return value.markup;
  if (typeof value === 'object') return value.map(markupOf).join('');
  return escapeHtml(String(value));
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Control characters and lone surrogates, which HTML cannot hold, become U+FFFD. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '').replace(/(?![\t\n])\p{Cc}|\p{Surrogate}/gu, '\ufffd');
}
