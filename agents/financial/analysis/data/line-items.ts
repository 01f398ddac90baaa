/** A line of a statement that is understood. `costs`: it is an expense or payment, which some write as negative. */
export type LineItem = {
  key: string;
  name: string;
  statement: 'income' | 'balance' | 'cashflow';
  costs?: true;
  /** What statements call it, in English, German, French and Spanish. Compared without accents and punctuation. */
  names: readonly string[];
};

const income = (key: string, name: string, names: string, costs?: true): LineItem => ({
  key,
  name,
  statement: 'income',
  ...(costs && { costs }),
  names: split(names),
});
const balance = (key: string, name: string, names: string): LineItem => ({
  key,
  name,
  statement: 'balance',
  names: split(names),
});
const cash = (key: string, name: string, names: string, costs?: true): LineItem => ({
  key,
  name,
  statement: 'cashflow',
  ...(costs && { costs }),
  names: split(names),
});
const split = (names: string) => names.split('|').map((one) => one.trim());

export const lineItems: readonly LineItem[] = [
  income(
    'revenue',
    'revenue',
    'revenue|revenues|total revenue|total revenues|net revenue|net revenues|sales|net sales|total sales|total net sales|turnover|sales revenue|revenue from contracts with customers|Umsatz|Umsatzerlöse|Erlöse|Nettoumsatz|Umsätze|chiffre d’affaires|chiffre d’affaires net|CA|ventes|ventas|ingresos|ingresos totales|importe neto de la cifra de negocios|cifra de negocios',
  ),
  income(
    'costOfSales',
    'cost of sales',
    'cost of sales|cost of goods sold|cogs|cost of revenue|cost of revenues|total cost of revenue|total cost of sales|cost of products sold|direct costs|Herstellungskosten|Herstellungskosten des Umsatzes|Umsatzkosten|Materialaufwand|Wareneinsatz|coût des ventes|coûts des ventes|achats consommés|coste de ventas|costo de ventas|coste de las ventas|aprovisionamientos',
    true,
  ),
  income(
    'grossProfit',
    'gross profit',
    'gross profit|gross income|gross margin|gross result|Bruttoergebnis|Bruttoergebnis vom Umsatz|Rohertrag|Rohergebnis|Bruttogewinn|marge brute|bénéfice brut|résultat brut|beneficio bruto|margen bruto|utilidad bruta',
  ),
  income(
    'research',
    'research and development',
    'research and development|r and d|r&d|research and development expenses|Forschung und Entwicklung|Forschungs- und Entwicklungskosten|recherche et développement|investigación y desarrollo',
    true,
  ),
  income(
    'selling',
    'selling expenses',
    'selling expenses|sales and marketing|selling and marketing|marketing|marketing expenses|distribution costs|selling and distribution expenses|Vertriebskosten|Marketing und Vertrieb|frais commerciaux|gastos de venta|gastos comerciales',
    true,
  ),
  income(
    'administration',
    'administrative expenses',
    'general and administrative|general and administrative expenses|administrative expenses|administration expenses|g and a|g&a|admin expenses|Verwaltungskosten|allgemeine Verwaltungskosten|frais administratifs|frais généraux|gastos de administración|gastos generales',
    true,
  ),
  income(
    'sellingAndAdministration',
    'selling, general and administrative',
    'selling general and administrative|selling general and administrative expenses|sg and a|sg&a|sga|Vertriebs- und Verwaltungskosten',
    true,
  ),
  income(
    'personnel',
    'personnel expenses',
    'personnel expenses|staff costs|salaries|wages and salaries|salaries and wages|payroll|payroll expenses|employee benefits expense|personnel|Personalaufwand|Personalkosten|Löhne und Gehälter|charges de personnel|frais de personnel|gastos de personal|sueldos y salarios',
    true,
  ),
  income(
    'rent',
    'rent',
    'rent|rent expense|office rent|rent and utilities|Miete|Mietaufwand|Raumkosten|loyers|loyer|alquileres|alquiler',
    true,
  ),
  income(
    'otherOperatingIncome',
    'other operating income',
    'other operating income|other income|sonstige betriebliche Erträge|autres produits d’exploitation|otros ingresos de explotación',
  ),
  income(
    'otherOperatingExpenses',
    'other operating expenses',
    'other operating expenses|other operating expense|other expenses|sonstige betriebliche Aufwendungen|autres charges d’exploitation|otros gastos de explotación',
    true,
  ),
  income(
    'operatingExpenses',
    'operating expenses',
    'operating expenses|total operating expenses|opex|total opex|total expenses|total operating costs|Betriebsaufwand|betriebliche Aufwendungen|Summe betriebliche Aufwendungen|charges d’exploitation|total des charges d’exploitation|gastos operativos|gastos de explotación|total gastos operativos',
    true,
  ),
  income(
    'depreciation',
    'depreciation and amortisation',
    'depreciation and amortization|depreciation and amortisation|depreciation|d and a|d&a|depreciation amortization and impairment|depreciation expense|Abschreibungen|Abschreibungen und Wertminderungen|Abschreibungen auf Sachanlagen|dotations aux amortissements|amortissements|dotations aux amortissements et provisions|amortizaciones|amortización|amortización del inmovilizado|depreciación y amortización',
    true,
  ),
  income(
    'ebitda',
    'EBITDA',
    'ebitda|adjusted ebitda|Betriebsergebnis vor Abschreibungen|excédent brut d’exploitation|ebe',
  ),
  income(
    'operatingIncome',
    'operating profit',
    'operating income|operating profit|operating result|ebit|income from operations|profit from operations|operating profit loss|operating income loss|earnings before interest and tax|earnings before interest and taxes|operating loss|Betriebsergebnis|operatives Ergebnis|Ergebnis der betrieblichen Tätigkeit|Ergebnis vor Zinsen und Steuern|résultat d’exploitation|résultat opérationnel|resultado de explotación|resultado operativo|utilidad de operación',
  ),
  income(
    'interestExpense',
    'interest expense',
    'interest expense|interest expenses|interest|finance costs|finance cost|financial expenses|interest and similar expenses|Zinsaufwand|Zinsaufwendungen|Zinsen und ähnliche Aufwendungen|Finanzaufwand|Finanzierungsaufwendungen|charges financières|charges d’intérêts|intérêts|gastos financieros|gastos por intereses',
    true,
  ),
  income(
    'interestIncome',
    'interest income',
    'interest income|finance income|financial income|interest and similar income|Zinserträge|Finanzerträge|sonstige Zinsen und ähnliche Erträge|produits financiers|ingresos financieros',
  ),
  income(
    'profitBeforeTax',
    'profit before tax',
    'profit before tax|income before tax|income before taxes|income before income taxes|pre tax income|pretax income|profit before taxation|earnings before tax|earnings before taxes|ebt|profit loss before tax|Ergebnis vor Steuern|Gewinn vor Steuern|résultat avant impôts|résultat avant impôt|resultado antes de impuestos|beneficio antes de impuestos',
  ),
  income(
    'incomeTax',
    'income tax',
    'income tax|income taxes|income tax expense|tax expense|provision for income taxes|taxation|taxes|tax|corporation tax|Ertragsteuern|Steuern vom Einkommen und vom Ertrag|Steuern|impôts sur les bénéfices|impôt sur les sociétés|impôt sur les bénéfices|impuesto sobre sociedades|impuesto sobre beneficios|impuestos',
    true,
  ),
  income(
    'netIncome',
    'net profit',
    'net income|net profit|net earnings|profit for the year|profit for the period|net income loss|net loss|profit after tax|net profit loss|loss for the year|profit loss for the year|net result|result for the year|Jahresüberschuss|Jahresergebnis|Jahresfehlbetrag|Konzernergebnis|Nettogewinn|Periodenergebnis|Überschuss|Ergebnis nach Steuern|Jahresüberschuss Jahresfehlbetrag|résultat net|bénéfice net|résultat de l’exercice|beneficio neto|resultado neto|resultado del ejercicio|utilidad neta',
  ),

  balance(
    'cash',
    'cash',
    'cash|cash and cash equivalents|cash and equivalents|cash at bank and in hand|cash at bank|cash and bank balances|bank and cash|liquide Mittel|flüssige Mittel|Zahlungsmittel|Zahlungsmittel und Zahlungsmitteläquivalente|Kasse|Kassenbestand|Kassenbestand und Guthaben bei Kreditinstituten|Guthaben bei Kreditinstituten|trésorerie|disponibilités|trésorerie et équivalents de trésorerie|efectivo|efectivo y equivalentes|tesorería|efectivo y otros activos líquidos equivalentes',
  ),
  balance(
    'shortTermInvestments',
    'short-term investments',
    'short term investments|marketable securities|current investments|short term financial assets|Wertpapiere des Umlaufvermögens|Wertpapiere|valeurs mobilières de placement|inversiones a corto plazo|inversiones financieras a corto plazo',
  ),
  balance(
    'receivables',
    'trade receivables',
    'accounts receivable|receivables|trade receivables|trade and other receivables|accounts receivable net|trade debtors|debtors|trade accounts receivable|Forderungen aus Lieferungen und Leistungen|Forderungen|Forderungen aus LuL|Debitoren|créances clients|créances clients et comptes rattachés|clients et comptes rattachés|deudores comerciales|clientes|cuentas por cobrar',
  ),
  balance(
    'inventory',
    'inventory',
    'inventory|inventories|stock|stocks|merchandise inventory|Vorräte|Lagerbestand|Warenbestand|stocks et en cours|existencias|inventarios|inventario',
  ),
  balance(
    'prepaid',
    'prepaid expenses',
    'prepaid expenses|prepayments|prepaid|prepaid expenses and other current assets|aktive Rechnungsabgrenzung|Rechnungsabgrenzungsposten|charges constatées d’avance|gastos anticipados',
  ),
  balance(
    'otherCurrentAssets',
    'other current assets',
    'other current assets|sonstige Vermögensgegenstände|sonstige kurzfristige Vermögenswerte|autres actifs courants|otros activos corrientes',
  ),
  balance(
    'currentAssets',
    'current assets',
    'current assets|total current assets|Umlaufvermögen|kurzfristige Vermögenswerte|Summe Umlaufvermögen|Summe kurzfristige Vermögenswerte|actif circulant|actifs courants|total actif circulant|total actifs courants|activo corriente|total activo corriente|activos corrientes|total activos corrientes',
  ),
  balance(
    'fixedAssets',
    'property, plant and equipment',
    'property plant and equipment|property and equipment|ppe|pp and e|fixed assets|tangible assets|tangible fixed assets|property plant and equipment net|Sachanlagen|immobilisations corporelles|inmovilizado material|propiedad planta y equipo',
  ),
  balance(
    'intangibles',
    'intangible assets',
    'intangible assets|intangibles|immaterielle Vermögenswerte|immaterielle Vermögensgegenstände|immobilisations incorporelles|activos intangibles|inmovilizado intangible',
  ),
  balance(
    'goodwill',
    'goodwill',
    'goodwill|Geschäfts- oder Firmenwert|Firmenwert|écart d’acquisition|fondo de comercio',
  ),
  balance(
    'nonCurrentAssets',
    'non-current assets',
    'non current assets|total non current assets|noncurrent assets|total noncurrent assets|long term assets|total long term assets|total fixed assets|Anlagevermögen|langfristige Vermögenswerte|Summe Anlagevermögen|actif immobilisé|actifs non courants|total actif immobilisé|activo no corriente|total activo no corriente',
  ),
  balance(
    'totalAssets',
    'total assets',
    'total assets|assets total|Bilanzsumme|Summe Aktiva|Aktiva gesamt|Gesamtvermögen|Summe Vermögenswerte|total actif|total de l’actif|total activo|activo total|total activos',
  ),
  balance(
    'payables',
    'trade payables',
    'accounts payable|payables|trade payables|trade and other payables|trade creditors|creditors|Verbindlichkeiten aus Lieferungen und Leistungen|Verbindlichkeiten aus LuL|Kreditoren|dettes fournisseurs|dettes fournisseurs et comptes rattachés|fournisseurs|acreedores comerciales|proveedores|cuentas por pagar',
  ),
  balance(
    'accrued',
    'accrued liabilities',
    'accrued liabilities|accrued expenses|accruals|Rückstellungen|charges à payer|provisions|provisiones|gastos acumulados',
  ),
  balance(
    'deferredRevenue',
    'deferred revenue',
    'deferred revenue|deferred income|unearned revenue|contract liabilities|passive Rechnungsabgrenzung|produits constatés d’avance|ingresos diferidos',
  ),
  balance(
    'shortTermDebt',
    'short-term debt',
    'short term debt|short term borrowings|current portion of long term debt|notes payable|short term loans|current debt|bank overdraft|kurzfristige Finanzverbindlichkeiten|kurzfristige Bankverbindlichkeiten|kurzfristige Darlehen|dettes financières à court terme|concours bancaires courants|deudas a corto plazo|deuda a corto plazo|préstamos a corto plazo',
  ),
  balance(
    'otherCurrentLiabilities',
    'other current liabilities',
    'other current liabilities|sonstige Verbindlichkeiten|sonstige kurzfristige Verbindlichkeiten|autres passifs courants|autres dettes|otros pasivos corrientes',
  ),
  balance(
    'currentLiabilities',
    'current liabilities',
    'current liabilities|total current liabilities|kurzfristige Verbindlichkeiten|kurzfristige Schulden|Summe kurzfristige Verbindlichkeiten|creditors amounts falling due within one year|passif circulant|passifs courants|total passifs courants|dettes à court terme|total dettes à court terme|pasivo corriente|total pasivo corriente|pasivos corrientes',
  ),
  balance(
    'longTermDebt',
    'long-term debt',
    'long term debt|long term borrowings|long term loans|non current borrowings|bank loans|long term debt net|langfristige Finanzverbindlichkeiten|langfristige Darlehen|langfristige Bankverbindlichkeiten|dettes financières à long terme|emprunts|emprunts et dettes financières|deudas a largo plazo|deuda a largo plazo|préstamos a largo plazo',
  ),
  balance(
    'nonCurrentLiabilities',
    'non-current liabilities',
    'non current liabilities|total non current liabilities|noncurrent liabilities|long term liabilities|total long term liabilities|total noncurrent liabilities|langfristige Verbindlichkeiten|langfristige Schulden|passifs non courants|total passifs non courants|pasivo no corriente|total pasivo no corriente',
  ),
  balance(
    'totalDebt',
    'total debt',
    'total debt|total borrowings|borrowings|financial debt|Finanzverbindlichkeiten|Verbindlichkeiten gegenüber Kreditinstituten|dettes financières|deuda financiera|deuda total',
  ),
  balance(
    'totalLiabilities',
    'total liabilities',
    'total liabilities|liabilities total|Fremdkapital|Verbindlichkeiten gesamt|Summe Fremdkapital|Summe Verbindlichkeiten|Gesamtverbindlichkeiten|total passifs|total dettes|total des dettes|total pasivo|pasivo total|total pasivos',
  ),
  balance(
    'shareCapital',
    'share capital',
    'share capital|common stock|capital stock|paid in capital|additional paid in capital|called up share capital|gezeichnetes Kapital|Stammkapital|Grundkapital|capital social|capital',
  ),
  balance(
    'retainedEarnings',
    'retained earnings',
    'retained earnings|accumulated deficit|profit and loss account|Gewinnrücklagen|Gewinnvortrag|report à nouveau|réserves|reservas|resultados acumulados',
  ),
  balance(
    'equity',
    'equity',
    'equity|total equity|shareholders equity|shareholder’s equity|stockholders equity|total shareholders equity|total stockholders equity|owners equity|net assets|shareholders funds|total shareholders funds|Eigenkapital|Summe Eigenkapital|Eigenkapital gesamt|capitaux propres|total capitaux propres|fonds propres|patrimonio neto|total patrimonio neto|patrimonio',
  ),
  balance(
    'liabilitiesAndEquity',
    'liabilities and equity',
    'total liabilities and equity|liabilities and equity|total equity and liabilities|equity and liabilities|total liabilities and shareholders equity|total liabilities and stockholders equity|Summe Passiva|Passiva gesamt|Bilanzsumme Passiva|total passif|total du passif|total patrimonio neto y pasivo|total pasivo y patrimonio',
  ),

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
