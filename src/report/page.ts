import { Html, html } from './html.js';
import type { ReportCommand, ReportFact } from './reportData.js';
import { reportStyle } from './reportStyle.js';

/** The generator mark in the page's head. */
export const pageMark = '<meta name="generator" content="video-mobile-former">';

/** The document as text: no script, no request, no font, and a policy that forbids them. */
export function renderPage(title: string, body: Html): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
${new Html(pageMark)}
<title>${title}</title>
<style>${new Html(reportStyle)}</style>
</head>
<body>
${body}
</body>
</html>
`;
  return page.markup;
}

export function section(heading: string, content: Html): Html {
  return html`<section>\n<h2>${heading}</h2>\n${content}\n</section>`;
}

/** Facts in two columns; those without a value are left out. */
export function factList(facts: readonly ReportFact[]): Html {
  const shown = facts.filter(([, value]) => value !== undefined);
  if (shown.length === 0) return html``;
  return html`<dl class="facts">${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`;
}

export function noteList(notes: readonly string[]): Html {
  return notes.length === 0 ? html`` : html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>`;
}

export function commandList(commands: readonly ReportCommand[]): Html {
  return html`<ol class="commands">${commands.map(
    ({ what, command }) => html`<li>${what && html`<span class="muted">${what}</span>`}<pre><code>${command}</code></pre></li>\n`,
  )}</ol>`;
}
