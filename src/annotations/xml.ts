/** XML as a tree with lines. A document type is refused and only the five entities of XML are known, so that nothing expands or is fetched. */
import { SaxesParser } from 'saxes';
import { DatasetError, messageOf } from '../errors.js';
import type { AnnotationFile } from './format.js';
import { textOf } from './text.js';

const maxDepth = 64;

export class XmlElement {
  readonly children: XmlElement[] = [];
  /** The text between its tags, its children's left out. */
  text = '';

  constructor(
    readonly name: string,
    private readonly attributes: Readonly<Record<string, string>>,
    /** "file.eaf:12", for messages. */
    readonly where: string,
  ) {}

  fail(reason: string): never {
    throw new DatasetError(`<${this.name}> ${reason}`, { path: this.where });
  }

  attribute(name: string): string | undefined {
    return Object.hasOwn(this.attributes, name) ? this.attributes[name] : undefined;
  }

  /** DatasetError where the attribute is missing. */
  required(name: string): string {
    return this.attribute(name) ?? this.fail(`has no ${name}`);
  }

  all(name: string): XmlElement[] {
    return this.children.filter((child) => child.name === name);
  }

  first(name: string): XmlElement | undefined {
    return this.children.find((child) => child.name === name);
  }

  /** Every element of a name at any depth. */
  deep(name: string): XmlElement[] {
    return this.children.flatMap((child) => [...(child.name === name ? [child] : []), ...child.deep(name)]);
  }
}

/** The root element. DatasetError with line and column for what is not well-formed, too deep, or has a document type. */
export const xmlOf = (file: AnnotationFile): XmlElement => parseXml(textOf(file), file.path);

/** The name of the root element: for telling formats apart without reading on. */
export const rootName = (file: AnnotationFile): string | undefined =>
  /^(?:\s|<\?[^>]*\?>|<!--[\s\S]*?-->|<!DOCTYPE[^>[]*(?:\[[^\]]*\])?\s*>)*<([\w:.-]+)/.exec(textOf(file).slice(0, 20_000))?.[1];

/** As `xmlOf`, of text; `path` is for messages. */
export function parseXml(text: string, path: string): XmlElement {
  const parser = new SaxesParser<{ xmlns: false; position: true }>({ xmlns: false, position: true });
  const document = new XmlElement('', {}, path);
  const open = [document];
  const fail = (reason: string) => {
    throw new DatasetError(reason, { path: `${path}:${parser.line}` });
  };
  parser.on('doctype', () => fail('has a document type (<!DOCTYPE>), which is not read; delete it'));
  parser.on('error', (error) => fail(`not XML: ${messageOf(error)}`));
  parser.on('opentag', ({ name, attributes }) => {
    if (open.length > maxDepth) fail(`more than ${maxDepth} elements inside each other`);
    const element = new XmlElement(name, attributes, `${path}:${parser.line}`);
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on('closetag', () => open.pop());
  const addText = (more: string) => {
    const element = open.at(-1);
    if (element !== undefined) element.text += more;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.write(text).close();
  return document.children[0] ?? fail('not XML: no element');
}
