/** Text inside XML. */

/** Whether every character may stand in XML 1.0. */
export const isXmlText = (text: string): boolean => /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u.test(text);

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#9;',
};

/** For values of attributes and for text: line breaks and tabs are references, which no reader turns into blanks. */
export const escapeXml = (text: string): string => text.replace(/[&<>"\r\n\t]/g, (character) => escapes[character] ?? character);
