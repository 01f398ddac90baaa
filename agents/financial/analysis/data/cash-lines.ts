import { itemsOf, type LineItem } from './line-item.ts';

const cash = itemsOf('cashflow');

export const cashLines: readonly LineItem[] = [
  cash(
    'operatingCashFlow',
    'operating cash flow',
    'operating cash flow|cash flow from operations|cash flow from operating activities|cash flows from operating activities|net cash from operating activities|net cash provided by operating activities|net cash used in operating activities|net cash provided by used in operating activities|cash from operations|cash generated from operations|cfo|Cashflow aus laufender Geschäftstätigkeit|Cashflow aus betrieblicher Tätigkeit|operativer Cashflow|Mittelzufluss aus laufender Geschäftstätigkeit|flux de trésorerie d’exploitation|flux net de trésorerie généré par l’activité|flux de trésorerie liés à l’activité|flujo de caja operativo|flujos de efectivo de las actividades de explotación|flujo de efectivo de operación',
  ),
  cash(
    'capex',
    'capital expenditure',
    'capital expenditure|capital expenditures|capex|purchase of property plant and equipment|purchases of property plant and equipment|purchases of property and equipment|additions to property plant and equipment|Investitionen|Investitionen in Sachanlagen|Auszahlungen für Investitionen in das Sachanlagevermögen|Auszahlungen für Sachanlagen|acquisitions d’immobilisations|investissements|inversiones en inmovilizado|pagos por inversiones',
    true,
  ),
  cash(
    'investingCashFlow',
    'investing cash flow',
    'investing cash flow|cash flow from investing activities|cash flow from investing|cash flows from investing activities|net cash from investing activities|net cash used in investing activities|net cash provided by used in investing activities|cfi|Cashflow aus Investitionstätigkeit|Cashflow aus der Investitionstätigkeit|flux de trésorerie d’investissement|flux de trésorerie liés aux opérations d’investissement|flujo de caja de inversión|flujos de efectivo de las actividades de inversión',
  ),
  cash(
    'financingCashFlow',
    'financing cash flow',
    'financing cash flow|cash flow from financing activities|cash flow from financing|cash flows from financing activities|net cash from financing activities|net cash provided by financing activities|net cash used in financing activities|net cash provided by used in financing activities|cff|Cashflow aus Finanzierungstätigkeit|Cashflow aus der Finanzierungstätigkeit|flux de trésorerie de financement|flux de trésorerie liés aux opérations de financement|flujo de caja de financiación|flujos de efectivo de las actividades de financiación',
  ),
  cash(
    'dividends',
    'dividends paid',
    'dividends paid|dividends|payment of dividends|gezahlte Dividenden|Dividenden|dividendes versés|dividendos pagados',
    true,
  ),
  cash(
    'netChangeInCash',
    'change in cash',
    'net change in cash|change in cash|net increase in cash|net decrease in cash|net increase decrease in cash|net increase decrease in cash and cash equivalents|increase in cash|net cash flow|total cash flow|Veränderung der liquiden Mittel|zahlungswirksame Veränderung des Finanzmittelfonds|Veränderung des Finanzmittelbestands|variation de trésorerie|variation de la trésorerie|variación de efectivo|aumento disminución neta del efectivo',
  ),
  cash(
    'openingCash',
    'cash at the beginning',
    'opening cash|opening balance|cash at beginning of period|cash at beginning of year|cash at the beginning of the period|cash at the beginning of the year|cash beginning of period|beginning cash|cash and cash equivalents at beginning of period|cash and cash equivalents at beginning of year|Finanzmittelfonds am Anfang der Periode|Anfangsbestand|Anfangsbestand liquide Mittel|trésorerie d’ouverture|trésorerie à l’ouverture|efectivo al comienzo del ejercicio|saldo inicial',
  ),
  cash(
    'closingCash',
    'cash at the end',
    'closing cash|closing balance|cash at end of period|cash at end of year|cash at the end of the period|cash at the end of the year|cash end of period|ending cash|cash and cash equivalents at end of period|cash and cash equivalents at end of year|Finanzmittelfonds am Ende der Periode|Endbestand|Endbestand liquide Mittel|trésorerie de clôture|trésorerie à la clôture|efectivo al final del ejercicio|saldo final',
  ),
];
