import { expect, test } from '@jest/globals';
import { analyse } from '../../../agents/financial/analysis/analyse.ts';
import { check } from '../../../agents/financial/compliance/check.ts';
import { readSheets } from '../../../parsing/read-sheets.ts';
import { unseenLedger } from './unseen-ledgers.ts';
import { shapes } from './unseen-shapes.ts';
import { unseenStatements } from './unseen-statements.ts';

const sheetsOf = (name: string, text: string) => readSheets({ name, mediaType: '', bytes: Buffer.from(text) });

test.each(shapes.map((shape, at) => [shape.name, shape, at] as const))(
  'of the planted faults in a %s at least nine of ten are found, and at most one finding in ten is none',
  async (_name, shape, at) => {
    const ledger = unseenLedger(shape, 100 + at);
    const { findings } = await check(await sheetsOf('ledger.csv', ledger.csv), {
      today: '2026-01-31',
      place: ledger.place,
      ...ledger.request,
    });
    const reports = (rule: string, rows: number[], least: number) =>
      findings.some((one) => one.rule === rule && one.rows.filter(({ row }) => rows.includes(row)).length >= least);
    const missed = ledger.planted.filter(({ rule, rows }) => !reports(rule, rows, Math.min(rows.length, 2)));
    const wrong = findings.filter(
      ({ rule, rows }) =>
        !ledger.planted.some((one) => one.rule === rule && rows.some(({ row }) => one.rows.includes(row))),
    );
    expect({
      missed: missed.map(({ rule }) => rule),
      enough: missed.length <= ledger.planted.length / 10,
    }).toMatchObject({ enough: true });
    expect({ wrong: wrong.map(({ finding }) => finding), few: wrong.length <= findings.length / 10 }).toMatchObject({
      few: true,
    });
  },
);

test.each(unseenStatements)(
  '$name: every planted fault is found, and ratios are as by hand',
  async ({ file, content, faults, ratios }) => {
    const { anomalies, measured } = await analyse(await sheetsOf(file, content));
    for (const { rule, period } of faults)
      expect(anomalies.filter((one) => one.rule === rule && one.periods.includes(period))).not.toEqual([]);
    for (const [name, expected] of Object.entries(ratios)) {
      const found = measured.find(({ key, period }) => `${key} ${period.id}` === name);
      expect([name, found?.value.toNumber()]).toEqual([name, expect.closeTo(Number(expected), 3)]);
    }
    // Anything else is a change or a low ratio, and no error in the figures.
    const others = anomalies.filter(
      ({ rule, periods }) => !faults.some((one) => one.rule === rule && periods.includes(one.period)),
    );
    expect(others.map(({ rule }) => rule).filter((rule) => !['jump', 'short-runway'].includes(rule))).toEqual([]);
  },
);
