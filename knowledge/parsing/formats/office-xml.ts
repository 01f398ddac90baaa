import { posix } from 'node:path';
import sax from 'sax';
import { fileProblem } from '../file-problem.ts';
import type { OfficePackage } from './office-package.ts';

export type Attributes = Record<string, string | undefined>;
export type XmlElement = { name: string; attributes: Attributes; children: (XmlElement | string)[] };

type Reader = {
  opened?: (name: string, attributes: Attributes) => void;
  text?: (text: string) => void;
  closed?: (name: string) => void;
};

/**
 * Reads one XML part of an Office file. Names come without their prefix: programs choose it as they like.
 *
 * The parser is strict, knows the five entities of XML and no others, and fetches nothing. A part that declares its own is
 * refused: ECMA-376 part 2 forbids document type declarations in a package, so it can only be an attack.
 *
 * @throws AlfredError `file_unreadable`, `file_too_large`, or what `reader` throws
 */
export async function readPart(name: string, file: OfficePackage, part: string, reader: Reader): Promise<void> {
  const parser = sax.parser(true, {});
  parser.ondoctype = () => {
    throw entitiesDeclared(name, part);
  };
  parser.onerror = (error) => {
    throw error;
  };
  parser.onopentag = ({ name: tag, attributes }) => reader.opened?.(localName(tag), attributes as Attributes);
  parser.ontext = parser.oncdata = (text) => reader.text?.(text);
  parser.onclosetag = (tag) => reader.closed?.(localName(tag));
  for await (const piece of file.pieces(part)) parser.write(piece);
  parser.close();
}

export const entitiesDeclared = (name: string, part: string) =>
  fileProblem(
    'file_unreadable',
    name,
    `the file is not safe to read: its part ${part} declares entities, which no Office program writes. Save it again in one and add it again.`,
  );

/** A part as a tree: for small ones. */
export async function treeOf(name: string, file: OfficePackage, part: string): Promise<XmlElement> {
  const root: XmlElement = { name: '', attributes: {}, children: [] };
  const open = [root];
  await readPart(name, file, part, {
    opened: (tag, attributes) => {
      const element = { name: tag, attributes, children: [] };
      open.at(-1)?.children.push(element);
      open.push(element);
    },
    text: (text) => void open.at(-1)?.children.push(text),
    closed: () => void open.pop(),
  });
  return root;
}

const isElement = (node: XmlElement | string): node is XmlElement => typeof node !== 'string';
export const elementsOf = ({ children }: XmlElement): XmlElement[] => children.filter(isElement);

/** All elements of that name, however deep, in the order of the file. */
export const allOf = (element: XmlElement, name: string): XmlElement[] =>
  elementsOf(element).flatMap((child) => (child.name === name ? [child] : allOf(child, name)));

export const firstOf = (element: XmlElement, name: string): XmlElement | undefined => allOf(element, name)[0];

export const textOf = ({ children }: XmlElement): string =>
  children.map((child) => (isElement(child) ? textOf(child) : child)).join('');

/** `r:id`, which names a relationship; a plain `id` beside it is something else. */
export const relationIdOf = ({ attributes }: XmlElement): string | undefined =>
  Object.entries(attributes).find(([name]) => name.endsWith(':id'))?.[1];

export type Relation = { kind: string; part: string };

/** What a part refers to inside the file, by id (ECMA-376 part 2, "Relationships"). */
export async function relationsOf(name: string, file: OfficePackage, part: string): Promise<Map<string, Relation>> {
  const own = posix.join(posix.dirname(part), '_rels', `${posix.basename(part)}.rels`);
  if (!file.has(own)) return new Map();
  const relations = allOf(await treeOf(name, file, own), 'Relationship').map(
    ({ attributes: { Id = '', Type = '', Target = '', TargetMode } }): [string, Relation] | undefined =>
      TargetMode === 'External'
        ? undefined
        : [Id, { kind: posix.basename(Type), part: posix.resolve('/', posix.dirname(part), Target).slice(1) }],
  );
  return new Map(relations.filter((relation) => relation !== undefined));
}

/** What the author wrote into the file's properties, unless a program did. */
export async function titleOf(name: string, file: OfficePackage): Promise<string | undefined> {
  if (!file.has('docProps/core.xml')) return undefined;
  const title = firstOf(await treeOf(name, file, 'docProps/core.xml'), 'title');
  const text = title ? textOf(title).trim() : '';
  return text === '' || /^(powerpoint[ -]\p{L}+|pr[eä]sentation|untitled)$/iu.test(text) ? undefined : text;
}

const localName = (tag: string) => tag.slice(tag.indexOf(':') + 1);
