import { describe, expect, test } from '@jest/globals';
import { parseFile } from '../../parsing/parse-file.ts';
import { fixture } from '../support/files/parsing.ts';

const textOf = async (name: string) => (await parseFile({ name, mediaType: '', bytes: await fixture(name) })).text;

describe('a PDF', () => {
  test('is read with fonts that are not embedded and use a predefined character map', async () => {
    expect(await textOf('ja.pdf')).toMatch(/travel rules[\s\S]*一泊一万二千円[\s\S]*三十日以内に提出/);
    expect(await textOf('zh.pdf')).toMatch(/travel rules[\s\S]*每晚六百元[\s\S]*三十天内提交/);
  });

  test('is read with what was filled into its form, ticked and chosen', async () => {
    const text = await textOf('request.pdf');
    for (const line of [
      'Department: Tidal Research',
      'Cost centre: CC-7731',
      'Approved amount: 1,480.00 EUR',
      'Device: Rugged tablet RT-9',
      'Loan allowed abroad: [x] Yes',
      'Site: Aarhus',
    ])
      expect(text.split('\n')).toContain(line);
  });

  test.each(['printer-job-header.pdf', 'cut-end.pdf'])('is read as every viewer opens it: %s', async (name) => {
    expect(await textOf(name)).toMatch(/within five days[\s\S]*OD-5512/);
  });

  test('has running headers once, no page numbers and line numbers, and rows of tables as rows', async () => {
    const { title, text } = await parseFile({
      name: 'running-lines.pdf',
      mediaType: '',
      bytes: await fixture('running-lines.pdf'),
    });
    expect(text).toBe(
      'Pump manual, edition 3\n\nPage 1 of 5\n\nValves … 7\n\n' +
        'Valve: V-1; Bar: 4; Opens: left\nValve: V-2; Bar: 6; Opens: right\n\n' +
        'The pump house stands at the north gate. It is locked at night.\n\n' +
        'Pumps are oiled each Monday. Use grease of type K-2.\n\n' +
        'A leak is reported to the shift lead. She closes valve 12.\n\n' +
        'Filters are changed each quarter. Order them two weeks before.\n\n' +
        'Alarms sound at 4 bar. Nobody enters the pit then.\n\n400 +',
    );
    expect(title).toBe('x');
  });
});
