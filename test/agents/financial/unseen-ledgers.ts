import { seededRandom } from '../../../cli/eval/seeded-random.ts';
import type { PlaceId } from '../../../agents/financial/intents.ts';

export type UnseenLedger = {
  name: string;
  place: PlaceId;
  csv: string;
  /** Rows of the file that a rule is to report; of one group each. */
  planted: { rule: string; rows: number[] }[];
  request: Record<string, unknown>;
};

export type Shape = {
  name: string;
  place: PlaceId;
  separator: string;
  header: string[];
  suppliers: readonly (readonly [name: string, taxId: string])[];
  rates: readonly number[];
  write: { amount: (value: number) => string; day: (iso: string) => string };
  /** The cells of an invoice in the order of the header. */
  row: (one: Invoice, write: Shape['write']) => string[];
  holidays: readonly string[];
  number: (n: number) => string;
  request: Record<string, unknown>;
  cash: string;
  paid: readonly string[];
  cashLimit: number;
};
export type Invoice = {
  day: string;
  supplier: string;
  taxId: string;
  number: string;
  net: number;
  rate: number;
  tax: number;
  gross: number;
  method: string;
  approver: string;
};

const cents = (value: number) => Math.round(value * 100) / 100;
const addDays = (iso: string, days: number) =>
  new Date(Date.parse(`${iso}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
const isWorkday = (iso: string, holidays: readonly string[]) =>
  ![0, 6].includes(new Date(`${iso}T00:00:00Z`).getUTCDay()) && !holidays.includes(iso);

/** Invoices of a year without a fault, and after that faults of each kind in rows of their own. */
export function unseenLedger(shape: Shape, seed: number): UnseenLedger {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const workdays = Array.from({ length: 300 }, (_, n) => addDays('2025-01-06', n)).filter((day) =>
    isWorkday(day, shape.holidays),
  );
  let serial = 4_000;
  const invoice = (change: Partial<Invoice> & { day?: string } = {}): Invoice => {
    const [supplier, taxId] = pick(shape.suppliers);
    const net = change.net ?? cents(40 + random() * 1_900 + 0.37);
    const rate = change.rate ?? pick(shape.rates);
    const tax = cents((net * rate) / 100);
    return {
      day: pick(workdays),
      supplier,
      taxId,
      number: shape.number((serial += 1 + Math.floor(random() * 7))),
      net,
      rate,
      tax,
      gross: cents(net + tax),
      method: pick(shape.paid),
      approver: net > 1_000 ? 'M. Ortega' : '',
      ...change,
    };
  };
  const rows: { one: Invoice; fault?: { rule: string; group: number } }[] = Array.from({ length: 400 }, () => ({
    one: invoice(),
  }));
  let group = 0;
  const plant = (rule: string, ...list: Invoice[]) => {
    group++;
    for (const one of list) rows.push({ one, fault: { rule, group } });
  };
  const [party, partyTax] = shape.suppliers[0]!;
  const own = { supplier: party, taxId: partyTax };
  const exact = invoice(own);
  plant('duplicate-exact', exact, { ...exact });
  const spelled = invoice({ net: 611.13 });
  plant('duplicate-invoice', spelled, {
    ...spelled,
    day: nextWorkday(addDays(spelled.day, 20), shape),
    number: `0${spelled.number.replace(/[^0-9A-Za-z]/g, '')}`.replace(/^0(?=\D)/, ''),
  });
  const near = invoice({ net: 733.21, day: '2025-03-11' });
  plant('duplicate-near', near, { ...near, day: '2025-03-13', number: shape.number(91_111) });
  const wrongTax = invoice({ net: 812.4, rate: shape.rates[0]! });
  plant('tax-amount', { ...wrongTax, tax: cents(wrongTax.tax + 4.5), gross: cents(wrongTax.gross + 4.5) });
  const wrongGross = invoice({ net: 455.1 });
  plant('gross-amount', { ...wrongGross, gross: cents(wrongGross.gross + 10) });
  plant('tax-rate', invoice({ net: 321.09, rate: 17 }));
  plant('tax-number', { ...invoice({ net: 298.77 }), taxId: damaged(partyTax) });
  plant('missing-field', { ...invoice({ net: 501.2 }), number: '' }, { ...invoice({ net: 777.7 }), number: '' });
  plant('missing-field', { ...invoice({ net: 902.35 }), taxId: '' });
  plant('weekend', invoice({ day: '2025-05-17', net: 402.12 }));
  plant('holiday', invoice({ day: shape.holidays[0]!, net: 388.42 }));
  plant('future-date', invoice({ day: '2026-06-16', net: 154.9 }));
  plant('cash-limit', invoice({ net: shape.cashLimit * 1.1 + 3.11, method: shape.cash, approver: 'M. Ortega' }));
  const part = (day: string, number: number) =>
    invoice({
      ...own,
      supplier: 'Orbit Trading',
      day,
      net: shape.cashLimit * 0.4 + number,
      method: shape.cash,
      approver: 'M. Ortega',
    });
  plant('cash-split', part('2025-09-01', 1.5), part('2025-09-02', 7.25), part('2025-09-03', 12.75));
  const bought = (day: string, net: number) =>
    invoice({ supplier: 'Kestrel Fitout', taxId: partyTax, day, net, approver: 'M. Ortega' });
  plant('split-payment', bought('2025-10-06', 2_511.11), bought('2025-10-07', 2_377.55));
  plant(
    'just-below-limit',
    invoice({
      supplier: 'Halden',
      net: 4_910 / (1 + shape.rates[0]! / 100),
      rate: shape.rates[0]!,
      approver: 'M. Ortega',
    }),
  );
  plant('approval-missing', invoice({ supplier: 'Norvik', net: 6_120.4, approver: '' }));
  const round = (day: string, gross: number) => ({
    ...invoice({ supplier: 'Sable Advisory', taxId: partyTax, day, approver: 'M. Ortega' }),
    ...backward(gross, shape.rates[0]!),
  });
  plant('round-amounts', round('2025-02-03', 2_000), round('2025-04-01', 3_000), round('2025-08-05', 4_000));
  const written = rows.map(({ one, fault }) => ({ cells: shape.row(one, shape.write), fault, key: random() }));
  const shuffled = written.sort((a, b) => a.key - b.key);
  const planted = new Map<number, { rule: string; rows: number[] }>();
  for (const [index, { fault }] of shuffled.entries()) {
    if (!fault) continue;
    const entry = planted.get(fault.group) ?? { rule: fault.rule, rows: [] };
    entry.rows.push(index + 2);
    planted.set(fault.group, entry);
  }
  const quote = (cell: string) =>
    cell.includes(shape.separator) || cell.includes('"') ? `"${cell.replaceAll('"', '""')}"` : cell;
  const csv = [shape.header, ...shuffled.map(({ cells }) => cells)]
    .map((cells) => cells.map(quote).join(shape.separator))
    .join('\r\n');
  return { name: shape.name, place: shape.place, csv, planted: [...planted.values()], request: shape.request };
}

function nextWorkday(iso: string, { holidays }: Shape): string {
  let day = iso;
  while (!isWorkday(day, holidays)) day = addDays(day, 1);
  return day;
}

function backward(gross: number, rate: number) {
  const net = cents(gross / (1 + rate / 100));
  return { gross, net, rate, tax: cents(gross - net) };
}

/** With another last digit. */
const damaged = (taxId: string) => taxId.replace(/\d$/, (digit) => String((Number(digit) + 3) % 10));
