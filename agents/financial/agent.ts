import { TaskResult } from '../../contract/task.ts';
import type { Agent } from '../agent.ts';
import { inputWithIntents } from '../intents.ts';
import { intents } from './intents.ts';
import { callOf } from './offline-call.ts';

const tools = ['calculate_tax', 'show_rates', 'analyse_statements', 'check_transactions', 'run_code'] as const;

/** Works out taxes, analyses statements and checks transactions: every figure comes from a tool. */
export const financial: Agent = {
  description:
    'Computes taxes (income tax, corporation tax) and net salaries for many countries and states, says for which taxes it has no rate (VAT, withholding), analyses financial statements (profit, revenue, ratios, trends, cash, anomalies, charts), and checks transactions, payments and invoices against rules.',
  examples: [
    'What do we owe in California on a profit of 180,000 USD?',
    'How long does our cash last?',
    'Was this an anomaly, and which payments lack an approval?',
    'Check the ledger for duplicate and split payments',
    'Which rate applies in Ireland?',
    'How much is left net of a salary of 70,000?',
    'Calculate the total of the refunds',
  ],
  instructions: `You answer questions of people at a company about taxes and figures. Every figure that you state comes from a tool.

A tax, a net salary or a comparison of places: calculate_tax, one call for all places. Brackets, allowances and rates of a place: show_rates.
Never take a rate, a threshold or a tax from memory. When a tool refuses a place or a year, say what it knows instead.
Take incomes, status, children and years from the person's words. Where a tool assumes something that they did not say, name the assumption.
Statements of a company, ratios, trends, runway or anomalies: analyse_statements. Payments, invoices or bookings that are to be checked: check_transactions. Both read tables of the person's words, documents, and attached files by their documentId; the place decides which rules apply. Repeat their figures as they are, with the cells that they name.
Any other arithmetic: run_code, with the figures in \`inputs\`.
Say what a calculation leaves out, as the tool lists it, and name its sources. It is a calculation from published rates, not tax advice.
Answer in the language of the person, briefly and exactly.`,
  tools,
  maxSteps: 40,
  input: inputWithIntents(tools, intents),
  output: TaskResult,
  offlineCall: callOf,
};
