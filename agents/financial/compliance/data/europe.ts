import { asOf, fullInvoice, type Place } from './place.ts';

export const de: Place = {
  name: 'Germany',
  currency: 'EUR',
  dateOrder: 'dmy',
  holidays: ['DE'],
  taxIds: 'DE',
  cash: [
    {
      amount: '10000',
      currency: 'EUR',
      from: true,
      duty: 'traders in goods identify the customer and keep a record',
      source: { law: 'Geldwäschegesetz (GwG) § 10 (6a)', asOf },
    },
  ],
  rates: [
    { since: '2007-01-01', percents: ['19', '7', '0'], source: { law: 'Umsatzsteuergesetz (UStG) § 12', asOf } },
    {
      since: '2020-07-01',
      percents: ['16', '5', '0'],
      source: { law: 'Umsatzsteuergesetz (UStG) § 28 (1), (2)', asOf },
    },
    { since: '2021-01-01', percents: ['19', '7', '0'], source: { law: 'Umsatzsteuergesetz (UStG) § 12', asOf } },
  ],
  invoice: {
    needs: fullInvoice,
    simple: ['date', 'supplier', 'gross', 'taxRate'],
    simpleUpTo: '250',
    source: { law: 'UStG § 14 (4), UStDV § 33', asOf },
  },
};

export const fr: Place = {
  name: 'France',
  currency: 'EUR',
  dateOrder: 'dmy',
  holidays: ['FR'],
  taxIds: 'FR',
  cash: [
    {
      amount: '1000',
      currency: 'EUR',
      from: false,
      duty: 'a debtor with a tax domicile in France may not pay it in cash to a professional',
      source: { law: 'Code monétaire et financier, art. L112-6, D112-3', asOf },
    },
  ],
  rates: [
    {
      since: '2014-01-01',
      percents: ['20', '10', '5.5', '2.1', '0'],
      source: { law: 'Code général des impôts, art. 278 to 281 nonies', asOf },
    },
  ],
  invoice: {
    needs: fullInvoice,
    simple: ['date', 'invoice', 'supplier', 'net', 'tax'],
    simpleUpTo: '180',
    source: { law: 'Code général des impôts, annexe II, art. 242 nonies A', asOf },
  },
};

export const ie: Place = {
  name: 'Ireland',
  currency: 'EUR',
  dateOrder: 'dmy',
  holidays: ['IE'],
  taxIds: 'IE',
  cash: [
    {
      amount: '10000',
      currency: 'EUR',
      from: true,
      duty: 'traders in goods identify the customer; linked payments are counted together',
      source: { law: 'Criminal Justice (Money Laundering and Terrorist Financing) Act 2010, s. 25(1)(i)', asOf },
    },
  ],
  rates: [
    {
      since: '2012-01-01',
      percents: ['23', '13.5', '9', '4.8', '0'],
      source: { law: 'Value-Added Tax Consolidation Act 2010, s. 46', asOf },
    },
    {
      since: '2020-09-01',
      percents: ['21', '13.5', '9', '4.8', '0'],
      source: { law: 'Value-Added Tax Consolidation Act 2010, s. 46', asOf },
    },
    {
      since: '2021-03-01',
      percents: ['23', '13.5', '9', '4.8', '0'],
      source: { law: 'Value-Added Tax Consolidation Act 2010, s. 46', asOf },
    },
  ],
  invoice: {
    needs: fullInvoice,
    simple: ['date', 'supplier', 'supplierTaxId', 'gross'],
    simpleUpTo: '100',
    source: { law: 'Value-Added Tax Consolidation Act 2010, s. 66; VAT Regulations 2010, reg. 20', asOf },
  },
};
