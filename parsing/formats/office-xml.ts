import { posix } from 'node:path';
import sax from 'sax';
import { fileProblem } from '../file-problem.ts';
import { usableTitle } from '../usable-title.ts';
import type { OfficePackage } from './office-package.ts';

export type Attributes = Record<string, string | undefined>;
export type XmlElement = { name: string; attributes: Attributes; children: (XmlElement | string)[] };

type ElementHandler = {
  opened?: (name: string, attributes: Attributes) => void;
  text?: (text: string) => void;
  closed?: (name: string) => void;
};

/**
 * Reads one XML part of an Office file. The handler gets names without their prefix, which each program chooses freely.
 *
 * The parser is strict and fetches nothing. It knows only the five entities of XML. A part that declares others
 * is refused: ECMA-376 part 2 forbids document type declarations in a package, so it can only be an attack.
 *
 * @throws AlfredError `file_unreadable`, `file_too_large`, or what `handler` throws
 */
export async function readPart(
  name: string,
  file: OfficePackage,
  part: string,
  handler: ElementHandler,
): Promise<void> {
  const parser = sax.parser(true, {});
  parser.ondoctype = () => {
    throw entitiesDeclared(name, part);
  };
  parser.onerror = (error) => {
    throw error;
  };
  parser.onopentag = ({ name: tag, attributes }) => handler.opened?.(localName(tag), attributes as Attributes);
  parser.ontext = parser.oncdata = (text) => handler.text?.(text);
  parser.onclosetag = (tag) => handler.closed?.(localName(tag));
  for await (const piece of file.pieces(part)) parser.write(piece);
  parser.close();
}

export const entitiesDeclared = (name: string, part: string) =>
  fileProblem(
    'file_unreadable',
    name,
    `the file is not safe to read: its part ${part} declares entities, which no Office program writes. Save it again in one and add it again.`,
  );

/** Reads a part as a tree. Only for small parts. */
export async function readTree(name: string, file: OfficePackage, part: string): Promise<XmlElement> {
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
export const childElements = ({ children }: XmlElement): XmlElement[] => children.filter(isElement);

/** All descendants of that name, in the order of the file. Matching elements are not searched further. */
export const findAll = (element: XmlElement, name: string): XmlElement[] =>
  childElements(element).flatMap((child) => (child.name === name ? [child] : findAll(child, name)));

export const findFirst = (element: XmlElement, name: string): XmlElement | undefined => findAll(element, name)[0];

export const textContent = ({ children }: XmlElement): string =>
  children.map((child) => (isElement(child) ? textContent(child) : child)).join('');

/** The attribute `r:id`, which refers to a relation. A plain `id` has another meaning. */
export const relationIdOf = ({ attributes }: XmlElement): string | undefined =>
  Object.entries(attributes).find(([name]) => name.endsWith(':id'))?.[1];

export type Relation = { kind: string; part: string };

/** The parts of the file that a part refers to, by relation id (ECMA-376 part 2, "Relationships"). */
export async function readRelations(name: string, file: OfficePackage, part: string): Promise<Map<string, Relation>> {
  const relationsPart = posix.join(posix.dirname(part), '_rels', `${posix.basename(part)}.rels`);
  if (!file.has(relationsPart)) return new Map();
  const relations = findAll(await readTree(name, file, relationsPart), 'Relationship').map(
    ({ attributes: { Id = '', Type = '', Target = '', TargetMode } }): [string, Relation] | undefined =>
      TargetMode === 'External'
        ? undefined
        : [Id, { kind: posix.basename(Type), part: posix.resolve('/', posix.dirname(part), Target).slice(1) }],
  );
  return new Map(relations.filter((relation) => relation !== undefined));
}

/** A part that the package itself refers to by its kind (`_rels/.rels`), else `usualPart`. */
export async function packagePart(name: string, file: OfficePackage, kind: string, usualPart: string): Promise<string> {
  const relations = [...(await readRelations(name, file, '')).values()];
  return relations.find((relation) => relation.kind === kind && file.has(relation.part))?.part ?? usualPart;
}

/** The title in the file's properties, unless it says nothing. */
export async function readTitle(name: string, file: OfficePackage): Promise<string | undefined> {
  const part = await packagePart(name, file, 'core-properties', 'docProps/core.xml');
  if (!file.has(part)) return undefined;
  const title = findFirst(await readTree(name, file, part), 'title');
  return usableTitle(title && textContent(title));
}

const localName = (tag: string) => tag.slice(tag.indexOf(':') + 1);
