import { largest } from '../extremes.ts';
import { documentTableTexts } from '../chunks/document-table.ts';
import type { Row } from '../chunks/table-rows.ts';
import { body, type Unit } from '../chunks/unit.ts';
import { singleLine } from '../normalise.ts';
import { findAll, findFirst, textContent, type XmlElement } from './office-xml.ts';
import { formatNumber } from './xlsx-numbers.ts';

/** More are a cloud of points, which says nothing as text. */
const maxPoints = 500;

/** A chart as its title and a table: a row a category, with the value of each series. */
export function chartUnits(chart: XmlElement, page: number): Unit[] {
  const title = findFirst(findFirst(chart, 'chart') ?? chart, 'title');
  const titleText = title ? singleLine(findAll(title, 't').map(textContent).join(' ')) : '';
  const series = findAll(chart, 'ser').map((one) => ({
    name: singleLine(pointsOf(findFirst(one, 'tx')).get(0) ?? ''),
    categories: pointsOf(findFirst(one, 'cat') ?? findFirst(one, 'xVal')),
    values: pointsOf(findFirst(one, 'val') ?? findFirst(one, 'yVal')),
  }));
  const count = Math.min(maxPoints, largest([0, ...series.map(({ values }) => largest(values.keys()) + 1)]));
  const header: Row = series.map(({ name }, index) => ({
    column: index + 1,
    text: name || `Series ${index + 1}`,
    isText: true,
  }));
  const rows = Array.from({ length: count }, (_, index): Row => {
    const category = series.map(({ categories }) => categories.get(index)).find(Boolean);
    const values = series.flatMap(({ values }, n) => {
      const value = values.get(index);
      return value === undefined ? [] : [{ column: n + 1, text: value, isText: false }];
    });
    if (values.length === 0) return [];
    return category === undefined ? values : [{ column: 0, text: singleLine(category), isText: true }, ...values];
  });
  const texts = count === 0 ? [] : documentTableTexts({ rows: [header, ...rows], headerRows: 1 });
  return [...(titleText ? [titleText] : []), ...texts].map((text, index) => body(text, { page, tight: index > 0 }));
}

/** The stored points of a list by their index, as they are shown. The literal name of a series has no index. */
function pointsOf(list: XmlElement | undefined): Map<number, string> {
  if (!list) return new Map();
  const code = findFirst(list, 'formatCode');
  const shown = (value: string) => (code ? formatNumber(value, textContent(code), false) : value);
  const points = findAll(list, 'pt').map((point): [number, string] => [
    Number(point.attributes.idx),
    shown(valueOf(point)),
  ]);
  return new Map(points.length > 0 ? points : [[0, valueOf(list)]]);
}

const valueOf = (element: XmlElement): string => {
  const value = findFirst(element, 'v');
  return value ? textContent(value) : '';
};

/** The texts of a SmartArt graphic, in the order in which they were typed. */
export const diagramUnits = (diagram: XmlElement, page: number): Unit[] =>
  findAll(diagram, 'pt')
    .filter(({ attributes: { type = 'node' } }) => type === 'node' || type === 'doc')
    .flatMap((point) => findAll(point, 'p').map((line) => singleLine(findAll(line, 't').map(textContent).join(''))))
    .filter(Boolean)
    .map((text, index) => body(text, { page, tight: index > 0 }));
