import { levy, part, percent, plain } from '../levy.ts';
import { atLeastZero, money } from '../money.ts';
import type { StateTable } from '../tables/table-types.ts';
import { usFl2024 } from '../tables/us-fl-2024.ts';
import { usFl2025 } from '../tables/us-fl-2025.ts';
import { usFl2026 } from '../tables/us-fl-2026.ts';
import { usTx2024 } from '../tables/us-tx-2024.ts';
import { usTx2025 } from '../tables/us-tx-2025.ts';
import { usTx2026 } from '../tables/us-tx-2026.ts';
import { inState } from './us-state.ts';

const none = (name: string) => levy(`${name} income tax`, 'tax', { base: [part('There is none', 0)], parts: [] });
const noneRows = [['Individuals', 'no income tax']] as const;

export const usTx = inState<StateTable>({
  id: 'us-tx',
  name: 'Texas',
  tables: [usTx2024, usTx2025, usTx2026],
  individual: () => [none('Texas')],
  noCorporation: 'the franchise tax is due on the margin of the revenue, not on profit',
  rates: () => [{ title: 'Texas', rows: noneRows }],
  leavesOut: ['property and sales taxes'],
});

export const usFl = inState<StateTable>({
  id: 'us-fl',
  name: 'Florida',
  tables: [usFl2024, usFl2025, usFl2026],
  individual: () => [none('Florida')],
  corporation: (profit, { corporation = { rate: 0, exempt: 0 } }) => {
    const base = [part('Taxable profit', profit), part('Exemption', -corporation.exempt)];
    const taxable = atLeastZero(profit.minus(corporation.exempt));
    const parts = [part(`${percent(corporation.rate)} of ${plain(taxable)}`, taxable.times(corporation.rate))];
    return [levy('Florida corporate income tax', 'tax', { base, taxable, parts })];
  },
  rates: ({ corporation = { rate: 0, exempt: 0 } }) => [
    {
      title: 'Florida',
      rows: [...noneRows, ['Corporations', `${percent(corporation.rate)} above ${plain(money(corporation.exempt))}`]],
    },
  ],
  leavesOut: ['property and sales taxes'],
});
