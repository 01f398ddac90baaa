import type { PlaceId } from '../../intents.ts';
import { de, fr, ie } from './europe.ts';
import { asOf, fullInvoice, shortInvoice, type Place } from './place.ts';

export type { CashLimit, Place, Rates, Source } from './place.ts';

const us: Place = {
  name: 'United States',
  currency: 'USD',
  dateOrder: 'mdy',
  holidays: ['US'],
  cash: [
    {
      amount: '10000',
      currency: 'USD',
      from: false,
      duty: 'who receives it in a trade or business files Form 8300 within 15 days; related payments are counted together',
      source: { law: '26 U.S.C. § 6050I, 31 U.S.C. § 5331, 31 CFR 1010.330', asOf },
    },
  ],
  rates: [],
};

const gb: Place = {
  name: 'United Kingdom',
  currency: 'GBP',
  dateOrder: 'dmy',
  holidays: ['GB', 'ENG'],
  taxIds: 'GB',
  cash: [
    {
      amount: '10000',
      currency: 'EUR',
      from: true,
      duty: 'a trader who takes such payments registers with HMRC as a high value dealer and identifies the customer; linked payments are counted together',
      source: { law: 'Money Laundering Regulations 2017, reg. 14(1)(a)', asOf },
    },
  ],
  rates: [
    {
      since: '2011-01-04',
      percents: ['20', '5', '0'],
      source: { law: 'Value Added Tax Act 1994, s. 2, 29A, 30', asOf },
    },
  ],
  invoice: {
    needs: fullInvoice,
    simple: ['date', 'supplier', 'supplierTaxId', 'gross'],
    simpleUpTo: '250',
    source: { law: 'Value Added Tax Regulations 1995, reg. 14, 16', asOf },
  },
};

const ca: Place = {
  name: 'Canada',
  currency: 'CAD',
  dateOrder: 'mdy',
  holidays: ['CA'],
  taxIds: 'CA',
  cash: [
    {
      amount: '10000',
      currency: 'CAD',
      from: true,
      duty: 'reporting entities report a large cash transaction to FINTRAC within 15 days; payments within 24 hours are counted together',
      source: { law: 'Proceeds of Crime (Money Laundering) and Terrorist Financing Regulations, SOR/2002-184', asOf },
    },
  ],
  rates: [
    {
      since: '2008-01-01',
      percents: ['5', '0', '12', '13', '14', '15'],
      source: { law: 'Excise Tax Act, s. 165, and the rates of the HST provinces', asOf },
    },
  ],
  invoice: {
    needs: ['date', 'supplier', 'supplierTaxId', 'gross', 'tax'],
    simple: shortInvoice,
    simpleUpTo: '99.99',
    source: { law: 'Input Tax Credit Information (GST/HST) Regulations, SOR/91-45, s. 3', asOf },
  },
};

/** Rules by country, as far as they can be seen in a list of transactions. */
export const places: Record<PlaceId, Place> = {
  us,
  'us-ca': { ...us, name: 'California', holidays: ['US', 'CA'] },
  'us-ny': { ...us, name: 'New York', holidays: ['US', 'NY'] },
  'us-tx': { ...us, name: 'Texas', holidays: ['US', 'TX'] },
  'us-fl': { ...us, name: 'Florida', holidays: ['US', 'FL'] },
  gb,
  'gb-sct': { ...gb, name: 'Scotland', holidays: ['GB', 'SCT'] },
  ca,
  'ca-on': { ...ca, name: 'Ontario', holidays: ['CA', 'ON'] },
  au: {
    name: 'Australia',
    currency: 'AUD',
    dateOrder: 'dmy',
    holidays: ['AU'],
    taxIds: 'AU',
    cash: [
      {
        amount: '10000',
        currency: 'AUD',
        from: true,
        duty: 'reporting entities report a threshold transaction to AUSTRAC within 10 business days',
        source: { law: 'Anti-Money Laundering and Counter-Terrorism Financing Act 2006, s. 43', asOf },
      },
    ],
    rates: [
      {
        since: '2000-07-01',
        percents: ['10', '0'],
        source: { law: 'A New Tax System (Goods and Services Tax) Act 1999, s. 9-70', asOf },
      },
    ],
    invoice: {
      needs: ['date', 'supplier', 'supplierTaxId', 'gross', 'tax'],
      simple: shortInvoice,
      simpleUpTo: '82.50',
      source: { law: 'A New Tax System (Goods and Services Tax) Act 1999, s. 29-70, 29-80', asOf },
    },
  },
  sg: {
    name: 'Singapore',
    currency: 'SGD',
    dateOrder: 'dmy',
    holidays: ['SG'],
    cash: [
      {
        amount: '20000',
        currency: 'SGD',
        from: false,
        duty: 'dealers in precious stones and metals file a cash transaction report',
        source: {
          law: 'Precious Stones and Precious Metals (Prevention of Money Laundering and Terrorism Financing) Act 2019',
          asOf,
        },
      },
    ],
    rates: [
      { since: '2007-07-01', percents: ['7', '0'], source: { law: 'Goods and Services Tax Act 1993, s. 16', asOf } },
      { since: '2023-01-01', percents: ['8', '0'], source: { law: 'Goods and Services Tax Act 1993, s. 16', asOf } },
      { since: '2024-01-01', percents: ['9', '0'], source: { law: 'Goods and Services Tax Act 1993, s. 16', asOf } },
    ],
    invoice: {
      needs: fullInvoice,
      simple: ['date', 'supplier', 'supplierTaxId', 'gross'],
      simpleUpTo: '1000',
      source: { law: 'Goods and Services Tax (General) Regulations, reg. 11, 13', asOf },
    },
  },
  jp: {
    name: 'Japan',
    currency: 'JPY',
    dateOrder: 'mdy',
    holidays: ['JP'],
    taxIds: 'JP',
    cash: [
      {
        amount: '2000000',
        currency: 'JPY',
        from: false,
        duty: 'banks, and dealers in precious metals and stones, identify the customer',
        source: { law: 'Act on Prevention of Transfer of Criminal Proceeds, and its Enforcement Order, art. 7', asOf },
      },
    ],
    rates: [
      { since: '2014-04-01', percents: ['8', '0'], source: { law: 'Consumption Tax Act, art. 29', asOf } },
      { since: '2019-10-01', percents: ['10', '8', '0'], source: { law: 'Consumption Tax Act, art. 29', asOf } },
    ],
    invoice: {
      needs: ['date', 'supplier', 'supplierTaxId', 'gross', 'taxRate', 'tax'],
      simple: shortInvoice,
      simpleUpTo: '0',
      source: { law: 'Consumption Tax Act, art. 57-4 (from 1 October 2023)', asOf },
    },
  },
  in: {
    name: 'India',
    currency: 'INR',
    dateOrder: 'dmy',
    holidays: ['IN'],
    taxIds: 'IN',
    cash: [
      {
        amount: '200000',
        currency: 'INR',
        from: true,
        duty: 'no person may receive it from one person in a day, for one transaction or occasion',
        source: { law: 'Income-tax Act 1961, s. 269ST', asOf },
      },
      {
        amount: '10000',
        currency: 'INR',
        from: false,
        duty: 'an expense that is paid so in a day is not deductible',
        source: { law: 'Income-tax Act 1961, s. 40A(3)', asOf },
      },
    ],
    rates: [
      {
        since: '2017-07-01',
        percents: ['0', '0.25', '1.5', '3', '5', '7.5', '12', '18', '28'],
        source: { law: 'CGST Act 2017, s. 9, and the notified rates', asOf },
      },
      {
        since: '2025-09-22',
        percents: ['0', '0.25', '1.5', '3', '5', '18', '28', '40'],
        source: { law: 'CGST Act 2017, s. 9, Notification 9/2025', asOf },
      },
    ],
    invoice: {
      needs: ['date', 'invoice', 'supplier', 'supplierTaxId', 'net', 'taxRate', 'tax'],
      simple: shortInvoice,
      simpleUpTo: '199.99',
      source: { law: 'CGST Rules 2017, rule 46', asOf },
    },
  },
  de,
  fr,
  ie,
};
