import { itemsOf, type LineItem } from './line-item.ts';

const income = itemsOf('income');

export const incomeLines: readonly LineItem[] = [
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
];
