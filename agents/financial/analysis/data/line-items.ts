import { balanceLines } from './balance-lines.ts';
import { cashLines } from './cash-lines.ts';
import { incomeLines } from './income-lines.ts';
import { splitNames as split, type LineItem } from './line-item.ts';

export type { LineItem } from './line-item.ts';

export const lineItems: readonly LineItem[] = [...incomeLines, ...balanceLines, ...cashLines];

/** Headings and titles that say which statement, or which part of it, the lines below belong to. */
export const sections: readonly { statement: LineItem['statement']; names: readonly string[] }[] = [
  {
    statement: 'income',
    names: split(
      'income statement|profit and loss|profit and loss statement|p and l|p l|pnl|statement of income|statement of operations|statement of profit or loss|consolidated income statement|consolidated statements of income|consolidated statements of operations|Gewinn- und Verlustrechnung|GuV|compte de résultat|cuenta de pérdidas y ganancias|cuenta de resultados|estado de resultados|income|expenses|revenues and expenses',
    ),
  },
  {
    statement: 'balance',
    names: split(
      'balance sheet|balance|statement of financial position|consolidated balance sheet|consolidated balance sheets|Bilanz|bilan|balance de situación|balance general|assets|liabilities|liabilities and equity|equity and liabilities|Aktiva|Passiva|actif|passif|activo|pasivo|liabilities and shareholders equity|fixed assets|current assets|current liabilities',
    ),
  },
  {
    statement: 'cashflow',
    names: split(
      'cash flow|cash flows|cashflow|cash flow statement|statement of cash flows|statement of cash flow|consolidated statements of cash flows|Kapitalflussrechnung|Cashflow-Rechnung|tableau des flux de trésorerie|flux de trésorerie|estado de flujos de efectivo|operating activities|investing activities|financing activities|cash flows from operating activities|cash flows from investing activities|cash flows from financing activities|changes in working capital|changes in operating assets and liabilities|adjustments',
    ),
  },
];
