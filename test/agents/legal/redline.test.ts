import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { unzipSync, strFromU8 } from 'fflate';
import { redlineDocument } from '../../../agents/legal/contract/redline.ts';
import { reviewText } from './measure.ts';

const example = (name: string) =>
  readFileSync(new URL(`../../../docs/examples/legal/${name}`, import.meta.url), 'utf8');
const date = new Date('2026-11-29T12:00:00Z');

/** The text of a Word document's XML, with the changes accepted or rejected. */
function textOf(xml: string, changes: 'accepted' | 'rejected'): string {
  const dropped = changes === 'accepted' ? /<w:del .*?<\/w:del>/gs : /<w:ins .*?<\/w:ins>/gs;
  const paragraphs = xml.replace(dropped, '').match(/<w:p>.*?<\/w:p>|<w:p\/>/gs) ?? [];
  const unescaped = (text: string) =>
    text
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&apos;', "'")
      .replaceAll('&amp;', '&');
  return paragraphs
    .map((one) =>
      [...one.matchAll(/<w:(?:t|delText)(?: [^>]*)?>([^<]*)</g)].map(([, text = '']) => unescaped(text)).join(''),
    )
    .join('\n');
}

test('proposals are tracked changes with author, date and reason; rejected, they leave the contract as it was', async () => {
  const contract = example('analysis-service-agreement.md');
  const { findings } = await reviewText(contract, example('playbook.md'));
  const { bytes, changes } = await redlineDocument(contract, findings, {
    title: 'Contract',
    author: 'Ann Lawyer',
    date,
  });
  const files = unzipSync(bytes);
  const xml = strFromU8(files['word/document.xml']!);
  const comments = strFromU8(files['word/comments.xml']!);
  expect(changes).toBeGreaterThanOrEqual(10);
  const marks = [...xml.matchAll(/<w:(ins|del) ([^>]*)>/g)].map(([, kind, attributes = '']) => ({ kind, attributes }));
  expect(new Set(marks.map(({ kind }) => kind))).toEqual(new Set(['ins', 'del']));
  for (const { attributes } of marks) {
    expect(attributes).toContain('w:author="Ann Lawyer"');
    expect(attributes).toContain('w:date="2026-11-29T12:00:00.000Z"');
  }
  const ids = marks.map(({ attributes }) => /w:id="(\d+)"/.exec(attributes)?.[1]);
  expect(new Set(ids).size).toBe(ids.length);
  expect(comments.match(/<w:comment /g)).toHaveLength(changes);
  expect(comments).toContain('a red line is critical');
  expect(textOf(xml, 'rejected').trimEnd()).toBe(contract.trimEnd());
  expect(textOf(xml, 'accepted')).toContain('2.2 Each invoice is due within 45 days of its date.');
});

test('two proposals for one sentence are one change, and characters that XML cannot have are left out', async () => {
  const contract =
    'Contract of Acme ("Customer") and Bolt ("Supplier").\u0007\nThe liability of the Customer & its staff is <unlimited>.';
  const finding = {
    topic: 't',
    title: 'One',
    status: 'hazard' as const,
    clauses: [],
    risk: { level: 'high' as const, rule: 'r' },
    proposal: { text: 'New.', replaces: { start: 54, end: contract.length } },
  };
  const inner = { ...finding, title: 'Two', proposal: { text: 'x', replaces: { start: 60, end: 64 } } };
  const { bytes, changes } = await redlineDocument(contract, [inner, finding], { title: 't', author: 'A', date });
  expect(changes).toBe(1);
  const xml = strFromU8(unzipSync(bytes)['word/document.xml']!);
  expect(textOf(xml, 'accepted')).toContain('New.');
  expect(textOf(xml, 'rejected')).toContain('Customer & its staff is <unlimited>.');
  expect(xml).not.toContain('\u0007');
});

test('a document has at most 500 proposals, and says how many more there are', async () => {
  const contract = 'Contract.\n'.repeat(600);
  const findings = Array.from({ length: 600 }, (_, i) => ({
    topic: 't',
    title: `Finding ${i}`,
    status: 'hazard' as const,
    clauses: [],
    risk: { level: 'high' as const, rule: 'r' },
    proposal: { text: 'New.', replaces: { start: i * 10, end: i * 10 + 9 } },
  }));
  const { bytes, changes, left } = await redlineDocument(contract, findings, { title: 't', author: 'A', date });
  expect({ changes, left }).toEqual({ changes: 500, left: 100 });
  const accepted = textOf(strFromU8(unzipSync(bytes)['word/document.xml']!), 'accepted')
    .trimEnd()
    .split('\n');
  expect(accepted.filter((line) => line === 'New.')).toHaveLength(500);
  expect(accepted.filter((line) => line === 'Contract.')).toHaveLength(100);
});
