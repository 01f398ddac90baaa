import type { OfficePackage } from './office-package.ts';
import { childElements, findAll, findFirst, readTree, type XmlElement } from './office-xml.ts';

type Level = { start: number; format: string; text: string; isLegal: boolean; style: string | undefined };
type NumberingList = { id: string; levels: Map<number, Level>; restarts: Map<number, number> };
type StyleNumber = { list: string | undefined; level: number | undefined; basedOn: string | undefined };

export type ParagraphNumber = { style: string | undefined; list: string | undefined; level: number | undefined };

/**
 * Counts the numbers that Word gives to paragraphs by itself (ECMA-376 part 1, 17.9).
 *
 * @returns a function that gets the paragraphs in order and returns their labels, like "4.2" or "(b)"; undefined for
 *   a paragraph without a number, and for bullets
 */
export async function createNumbering(
  name: string,
  file: OfficePackage,
  parts: { numbering: string | undefined; styles: string | undefined },
): Promise<(paragraph: ParagraphNumber) => string | undefined> {
  const lists = parts.numbering
    ? listsOf(await readTree(name, file, parts.numbering))
    : new Map<string, NumberingList>();
  const styles = parts.styles ? stylesOf(await readTree(name, file, parts.styles)) : new Map<string, StyleNumber>();
  const counts = new Map<string, Map<number, number>>();
  const restarted = new Set<NumberingList>();

  return ({ style, list, level }) => {
    const inherited = numberOfStyle(styles, style);
    const numbering = lists.get(list ?? inherited.list ?? '');
    if (!numbering) return undefined;
    const levelOfStyle = [...numbering.levels].find(
      ([, { style: linked }]) => linked !== undefined && linked === style,
    )?.[0];
    const at = level ?? (list === undefined ? (levelOfStyle ?? inherited.level) : inherited.level) ?? 0;
    const shown = numbering.levels.get(at);
    if (!shown || shown.format === 'bullet') return undefined;
    const count = counts.get(numbering.id) ?? new Map<number, number>();
    counts.set(numbering.id, count);
    if (!restarted.has(numbering) && numbering.restarts.size > 0) {
      for (const [depth, start] of numbering.restarts) count.set(depth, start - 1);
      restarted.add(numbering);
    }
    count.set(at, (count.get(at) ?? shown.start - 1) + 1);
    for (const depth of [...count.keys()].filter((depth) => depth > at)) count.delete(depth);
    return labelOf(shown, (depth) => ({ value: count.get(depth), level: numbering.levels.get(depth) }));
  };
}

function labelOf(
  { text, isLegal }: Level,
  at: (depth: number) => { value: number | undefined; level: Level | undefined },
): string | undefined {
  const label = text.replace(/%([1-9])/g, (_match, digit: string) => {
    const { value, level } = at(Number(digit) - 1);
    return formatCount(value ?? level?.start ?? 1, isLegal ? 'decimal' : (level?.format ?? 'decimal'));
  });
  return label.trim() || undefined;
}

function formatCount(value: number, format: string): string {
  switch (format) {
    case 'none':
      return '';
    case 'lowerLetter':
    case 'upperLetter': {
      // After z comes aa, then bb.
      const letter = String.fromCharCode(97 + ((value - 1 + 26) % 26)).repeat(
        Math.min(10, Math.ceil(Math.max(1, value) / 26)),
      );
      return format === 'upperLetter' ? letter.toUpperCase() : letter;
    }
    case 'lowerRoman':
      return roman(value).toLowerCase();
    case 'upperRoman':
      return roman(value);
    case 'decimalZero':
      return String(value).padStart(2, '0');
    default:
      return String(value);
  }
}

const romanDigits: [number, string][] = [
  [1000, 'M'],
  [900, 'CM'],
  [500, 'D'],
  [400, 'CD'],
  [100, 'C'],
  [90, 'XC'],
  [50, 'L'],
  [40, 'XL'],
  [10, 'X'],
  [9, 'IX'],
  [5, 'V'],
  [4, 'IV'],
  [1, 'I'],
];

function roman(value: number): string {
  if (value < 1 || value > 3_999) return String(value);
  let rest = value;
  let text = '';
  for (const [size, digits] of romanDigits)
    while (rest >= size) {
      text += digits;
      rest -= size;
    }
  return text;
}

/** The lists by id. Several may share one definition, and then they count on. */
function listsOf(numbering: XmlElement): Map<string, NumberingList> {
  const definitions = new Map(
    findAll(numbering, 'abstractNum').map((definition) => [
      attribute(definition, 'abstractNumId') ?? '',
      levelsOf(definition),
    ]),
  );
  return new Map(
    findAll(numbering, 'num').map((list): [string, NumberingList] => {
      const id = valueOf(list, 'abstractNumId') ?? '';
      const overrides = findAll(list, 'lvlOverride');
      const restarts = overrides.flatMap((override): [number, number][] => {
        const start = valueOf(override, 'startOverride');
        return start === undefined ? [] : [[Number(attribute(override, 'ilvl')), Number(start)]];
      });
      const levels = new Map([
        ...(definitions.get(id) ?? []),
        ...overrides.flatMap((override) => [...levelsOf(override)]),
      ]);
      return [attribute(list, 'numId') ?? '', { id, levels, restarts: new Map(restarts) }];
    }),
  );
}

const levelsOf = (definition: XmlElement): Map<number, Level> =>
  new Map(
    findAll(definition, 'lvl').map((level) => [
      Number(attribute(level, 'ilvl')),
      {
        start: Number(valueOf(level, 'start') ?? 1),
        format: valueOf(level, 'numFmt') ?? 'decimal',
        text: valueOf(level, 'lvlText') ?? '',
        isLegal: findFirst(level, 'isLgl') !== undefined,
        style: valueOf(level, 'pStyle'),
      },
    ]),
  );

const stylesOf = (styles: XmlElement): Map<string, StyleNumber> =>
  new Map(
    findAll(styles, 'style').map((style) => {
      const number = findFirst(style, 'numPr');
      const level = number && valueOf(number, 'ilvl');
      return [
        attribute(style, 'styleId') ?? '',
        {
          list: number && valueOf(number, 'numId'),
          level: level === undefined ? undefined : Number(level),
          basedOn: valueOf(style, 'basedOn'),
        },
      ];
    }),
  );

/** What a style says about numbers, or the nearest style that it is based on. */
function numberOfStyle(styles: ReadonlyMap<string, StyleNumber>, style: string | undefined) {
  const result: { list: string | undefined; level: number | undefined } = { list: undefined, level: undefined };
  let id = style;
  for (let steps = 0; id !== undefined && steps < 20; steps++) {
    const found = styles.get(id);
    result.list ??= found?.list;
    result.level ??= found?.level;
    id = found?.basedOn;
  }
  return result;
}

const attribute = ({ attributes }: XmlElement, name: string): string | undefined =>
  Object.entries(attributes).find(([key]) => key === name || key.endsWith(`:${name}`))?.[1];

const valueOf = (element: XmlElement, child: string): string | undefined => {
  const found = childElements(element).find(({ name }) => name === child) ?? findFirst(element, child);
  return found && attribute(found, 'val');
};
