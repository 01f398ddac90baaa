import { pino } from 'pino';
import { readFeedbackCases, type FeedbackCase } from '../../adapters/postgres/slack/feedback-cases.ts';
import { localPrincipal } from '../../contract/principal.ts';
import { loadConfig, type Config } from '../../runtime/config.ts';
import { openPostgres } from '../../runtime/database/postgres.ts';
import { rethrowDatabaseError } from '../rethrow-database-error.ts';
import { formatCount, formatMinute, oneLine } from '../terminal/format.ts';
import { table, type Terminal } from '../terminal/terminal.ts';
import { writeAuditEntry } from '../write-audit-entry.ts';
import { slackEnvironment } from './slack-environment.ts';

export type FeedbackOptions = { tenant?: string; jsonl?: boolean; json?: boolean };

/** Prints what people think of answers in Slack. It works on the database, so it is for operators. */
export async function printFeedback({ tenant: given, jsonl, json }: FeedbackOptions, terminal: Terminal) {
  const config = loadConfig(await slackEnvironment(), { secretsMayLack: true });
  const tenant = given ?? config.SLACK_TENANT ?? localPrincipal.tenant;
  const cases: FeedbackCase[] = [];
  let count = 0;
  await read(config, tenant, terminal, (found) => {
    count++;
    if (jsonl) terminal.print(JSON.stringify(found));
    else cases.push(found);
  });
  if (jsonl) return;
  if (json) return terminal.printJson({ feedback: cases });
  if (count === 0) return terminal.note(`No feedback in the tenant ${tenant}.`);
  const rows = cases.map(({ givenAt, value, agent, question, comment }) => [
    formatMinute(givenAt),
    value === 'useful' ? 'useful' : 'not useful',
    agent,
    oneLine(question, 50),
    oneLine(comment ?? '', 50),
  ]);
  terminal.print(table([['TIME', 'VALUE', 'AGENT', 'QUESTION', 'COMMENT'], ...rows]));
  const useful = cases.filter(({ value }) => value === 'useful').length;
  terminal.note(`${useful} of ${formatCount(count, 'answer')} useful.`);
}

async function read(config: Config, tenant: string, terminal: Terminal, onCase: (found: FeedbackCase) => void) {
  const postgres = openPostgres(config, pino({ level: 'silent' }));
  try {
    // It shows questions and answers of others. Before the first: who reads a pipe may close it after that.
    const resource = { type: 'feedback', id: tenant };
    await writeAuditEntry({ config, db: postgres.db, terminal }, { tenant, action: 'feedback.read', resource });
    for await (const found of readFeedbackCases(postgres.db, tenant)) onCase(found);
  } catch (error) {
    rethrowDatabaseError(config)(error);
  } finally {
    await postgres.close();
  }
}
