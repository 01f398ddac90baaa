import { expect, test } from '@jest/globals';
import { callOf } from '../../../agents/financial/offline-call.ts';
import { withAttachedFiles } from '../../../contract/rules/attached-files.ts';

const id = '0199a7a4-1111-7000-8000-00000000000a';

test.each([
  ['Analyse acme.xlsx', { name: 'analyse_statements', arguments: { statements: [{ document: 'acme.xlsx' }] } }],
  [
    'What are the ratios and the runway in "our books 2025.csv" and bilanz.csv?',
    {
      name: 'analyse_statements',
      arguments: { statements: [{ document: 'our books 2025.csv' }, { document: 'bilanz.csv' }] },
    },
  ],
  [
    'Check payments.csv against the rules of Ontario',
    { name: 'check_transactions', arguments: { transactions: [{ document: 'payments.csv' }], place: 'ca-on' } },
  ],
  [
    'Are there duplicates among our own invoices in sales/out.jsonl?',
    {
      name: 'check_transactions',
      arguments: { transactions: [{ document: 'sales/out.jsonl' }], direction: 'sales' },
    },
  ],
  [
    withAttachedFiles('Check these payments', [{ name: 'a.csv', documentId: id }]),
    { name: 'check_transactions', arguments: { transactions: [{ document: id }] } },
  ],
])('%j is read as a call', (text, call) => expect(callOf(text)).toEqual(call));

test.each([
  'Analyse our statements',
  'Analyse and check payments.csv',
  'What is in acme.xlsx?',
  'Check payments.csv against the rules of France and Germany',
  'Write a summary of notes.md',
  withAttachedFiles('Analyse this', [{ name: 'a.csv', documentId: null }]),
])('%j is left to a model', (text) => expect(callOf(text)).toBeUndefined());
