import { itemsOf, type LineItem } from './line-item.ts';

const balance = itemsOf('balance');

export const balanceLines: readonly LineItem[] = [
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
];
