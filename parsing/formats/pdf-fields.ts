import type { PDFPageProxy } from 'unpdf/pdfjs';
import { singleLine } from '../normalise.ts';
import type { Line } from './pdf-lines.ts';

/** What a form field or a text annotation holds. `bottom` and `top` are heights on the page, in points. */
type Field = { label: string; value: string; left: number; bottom: number; top: number };

type Annotation = {
  subtype?: string;
  fieldType?: string | null;
  fieldName?: string;
  alternativeText?: string;
  fieldValue?: unknown;
  contentsObj?: { str?: string };
  exportValue?: string;
  buttonValue?: string | null;
  checkBox?: boolean;
  radioButton?: boolean;
  options?: { exportValue?: string; displayValue?: string }[];
  hidden?: boolean;
  password?: boolean;
  rect?: number[];
};

/**
 * Adds to the lines of a page what was filled into its form: behind the printed label when a field stands alone on
 * its line, else as a line with the field's own name. Ticked boxes are `[x]`, others `[ ]`.
 */
export async function withFields(page: PDFPageProxy, lines: Line[]): Promise<Line[]> {
  const fields = ((await page.getAnnotations()) as Annotation[]).flatMap(fieldOf);
  if (fields.length === 0) return lines;
  const isOn = (field: Field, { y }: Line) => y >= field.bottom - 4 && y <= field.top;
  const result = lines.map((line): Line => {
    const [only, ...others] = fields.filter((field) => isOn(field, line));
    const stands = only && others.length === 0 && lines.filter((other) => isOn(only, other)).length === 1;
    return stands ? { ...line, text: `${line.text} ${only.value}` } : line;
  });
  const placed = new Set(
    fields.filter((field) => {
      const labels = lines.filter((line) => isOn(field, line));
      return labels.length === 1 && labels[0] && fields.filter((other) => isOn(other, labels[0] as Line)).length === 1;
    }),
  );
  const size = lines[0]?.size ?? 12;
  const own = fields
    .filter((field) => !placed.has(field))
    .sort((a, b) => b.top - a.top || a.left - b.left)
    .map(({ label, value, bottom }): Line => ({ text: label ? `${label}: ${value}` : value, size, y: bottom }));
  for (const line of own) {
    const at = result.findIndex(({ y }) => y < line.y - size);
    result.splice(at < 0 ? result.length : at, 0, line);
  }
  return result;
}

function fieldOf(annotation: Annotation): Field[] {
  const { fieldName = '', alternativeText, hidden, password, rect = [] } = annotation;
  const value = hidden || password ? undefined : valueOf(annotation);
  const [left = 0, bottom = 0, , top = 0] = rect;
  const label = singleLine(alternativeText || (fieldName.split('.').at(-1) ?? '').replaceAll('_', ' '));
  return value ? [{ label, value, left, bottom, top }] : [];
}

function valueOf({
  subtype,
  fieldType,
  fieldValue,
  contentsObj,
  exportValue,
  buttonValue,
  checkBox,
  radioButton,
  options = [],
}: Annotation): string | undefined {
  if (subtype === 'FreeText') return singleLine(contentsObj?.str ?? '');
  if (checkBox) return fieldValue === exportValue ? `[x] ${exportValue ?? ''}`.trim() : '[ ]';
  if (radioButton) return fieldValue === buttonValue && buttonValue ? `[x] ${buttonValue}` : undefined;
  if (fieldType !== 'Tx' && fieldType !== 'Ch') return undefined;
  const values = (Array.isArray(fieldValue) ? fieldValue : [fieldValue]).filter((value) => typeof value === 'string');
  return singleLine(
    values
      .map((value) => options.find((option) => option.exportValue === value)?.displayValue ?? value)
      .filter(Boolean)
      .join(', '),
  );
}
