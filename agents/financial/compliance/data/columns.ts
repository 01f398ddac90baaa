import { transactionFields } from '../../intents.ts';

export const fields = transactionFields;
export type Field = (typeof fields)[number];

const names = (list: string) => list.split('|').map((one) => one.trim());

/** How the columns are called, in English, German, French and Spanish. Compared without accents and punctuation. */
export const columnNames: Record<Field, readonly string[]> = {
  date: names(
    'date|invoice date|transaction date|posting date|booking date|payment date|document date|paid on|Datum|Rechnungsdatum|Buchungsdatum|Belegdatum|Zahlungsdatum|date de facture|date facture|date comptable|date de paiement|date d’opération|fecha|fecha factura|fecha de factura|fecha de pago',
  ),
  supplier: names(
    'supplier|vendor|payee|supplier name|vendor name|creditor|counterparty|merchant|paid to|beneficiary|company|party|Lieferant|Kreditor|Lieferantenname|Empfänger|Zahlungsempfänger|fournisseur|bénéficiaire|nom du fournisseur|proveedor|beneficiario|acreedor',
  ),
  customer: names(
    'customer|client|customer name|buyer|bill to|payer|debtor|received from|recipient|invoice recipient|Kunde|Debitor|Kundenname|Rechnungsempfänger|client nom|acheteur|cliente|comprador|deudor',
  ),
  invoice: names(
    'invoice|invoice number|invoice no|invoice id|inv no|invoice #|reference|ref|document number|document no|doc no|voucher|voucher no|bill no|receipt no|Rechnung|Rechnungsnummer|Rechnungsnr|Rechnung Nr|Belegnummer|Belegnr|Beleg|numéro de facture|n° facture|no facture|facture|pièce|numéro de pièce|número de factura|nº factura|factura|n.º factura',
  ),
  gross: names(
    'amount|gross|gross amount|total|total amount|invoice total|amount incl vat|amount including vat|total incl vat|total gross|value|sum|Betrag|Bruttobetrag|Brutto|Gesamtbetrag|Rechnungsbetrag|Summe|Betrag brutto|montant|montant ttc|ttc|total ttc|importe|importe total|total factura|importe bruto',
  ),
  net: names(
    'net|net amount|amount net|net total|subtotal|amount excl vat|taxable amount|tax base|taxable value|Netto|Nettobetrag|Betrag netto|Bemessungsgrundlage|montant ht|ht|total ht|base imposable|importe neto|neto|base imponible',
  ),
  tax: names(
    'tax|vat|gst|hst|tax amount|vat amount|gst amount|sales tax|consumption tax|Steuer|MwSt|USt|Mehrwertsteuer|Umsatzsteuer|Steuerbetrag|MwSt Betrag|USt Betrag|tva|montant tva|iva|cuota iva|importe iva|igst',
  ),
  taxRate: names(
    'tax rate|vat rate|gst rate|tax %|vat %|gst %|rate|vat code rate|Steuersatz|MwSt Satz|USt Satz|MwSt %|USt %|taux|taux tva|taux de tva|tva %|tipo iva|tipo de iva|% iva|iva %',
  ),
  debit: names('debit|debit amount|dr|withdrawal|money out|paid out|Soll|débit|cargo|debe'),
  credit: names('credit|credit amount|cr|deposit|money in|paid in|Haben|crédit|abono|haber'),
  currency: names('currency|ccy|currency code|Währung|Whg|devise|monnaie|moneda|divisa'),
  supplierTaxId: names(
    'vat number|vat no|vat registration|vat registration number|vat reg no|vat id|supplier vat|supplier vat number|vendor vat|supplier vat id|tax id|tax number|tin|abn|supplier abn|gstin|supplier gstin|gst number|gst no|gst reg no|registration number|UStId|USt IdNr|USt Id|Steuernummer|Umsatzsteuer Identifikationsnummer|USt ID Lieferant|numéro de tva|n° tva|tva intracommunautaire|no tva|nif|cif|nif proveedor|nif iva',
  ),
  customerTaxId: names(
    'customer vat|customer vat number|customer vat id|buyer vat|client vat|customer abn|customer gstin|buyer gstin|USt ID Kunde|nif cliente|tva client',
  ),
  method: names(
    'method|payment method|payment type|paid by|payment|tender|means of payment|payment mode|mode of payment|Zahlungsart|Zahlungsweise|Zahlweise|Zahlungsmittel|mode de paiement|moyen de paiement|règlement|mode de règlement|forma de pago|medio de pago|método de pago',
  ),
  description: names(
    'description|details|memo|narrative|text|purpose|item|note|notes|comment|Beschreibung|Buchungstext|Verwendungszweck|Text|libellé|désignation|concepto|descripción',
  ),
  account: names(
    'account|gl account|ledger account|category|cost center|cost centre|expense type|Konto|Sachkonto|Kostenstelle|Kategorie|compte|catégorie|cuenta|categoría',
  ),
  approvedBy: names(
    'approved by|approver|approval|authorised by|authorized by|released by|Freigegeben von|Freigabe|Genehmigt von|approuvé par|validé par|aprobado por|autorizado por',
  ),
};

/** Words that stand for payment in cash. */
export const cashWords: ReadonlySet<string> = new Set(
  names(
    'cash|cash payment|petty cash|in cash|bar|Barzahlung|Bargeld|Kasse|bar bezahlt|espèces|espece|comptant|liquide|efectivo|en efectivo|contado|metálico',
  ).map((word) => word.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()),
);

/** First cells of rows that are sums of others. */
export const totalWords: ReadonlySet<string> = new Set([
  'total',
  'totals',
  'grand total',
  'sum',
  'summe',
  'gesamt',
  'gesamtsumme',
  'total general',
  'subtotal',
  'zwischensumme',
  'sous total',
]);
