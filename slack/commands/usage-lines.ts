import type { Ledger } from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';
import { reachOf } from '../../contract/rules/policy.ts';
import type { TaskUsage } from '../../contract/task.ts';
import { formatDollars } from '../../contract/rules/format.ts';
import { escapeMrkdwn } from '../rendering/mrkdwn.ts';

const count = (number: number, one: string, many: string) =>
  `${number.toLocaleString('en')} ${number === 1 ? one : many}`;

const usageOf = ({ costUsd, modelCalls, inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens }: TaskUsage) =>
  `${formatDollars(costUsd)}, ${count(modelCalls, 'model call', 'model calls')}, ${count(
    inputTokens + cacheReadTokens + cacheWriteTokens + outputTokens,
    'token',
    'tokens',
  )}`;

/** What a person has spent today and this month, and its tenant where the person may see that. */
export async function readUsage(ledger: Pick<Ledger, 'reportUsage'>, principal: Principal, now: Date) {
  const { tenant, subject } = principal;
  const to = now.toISOString().slice(0, 10);
  const from = `${to.slice(0, 8)}01`;
  const own = { tenant, subject };
  const reach = reachOf(principal, 'see', 'usage');
  const read = async (whose: typeof reach) => {
    const [today, month] = await Promise.all([
      ledger.reportUsage(whose, { from: to, to, by: ['agent'] }),
      ledger.reportUsage(whose, { from, to, by: ['agent'] }),
    ]);
    return [`• today: ${usageOf(today.total)}`, `• this month: ${usageOf(month.total)}`];
  };
  return [
    { title: 'What you have spent', lines: await read(own) },
    ...(reach.of === 'tenant'
      ? [{ title: `What all of ${escapeMrkdwn(tenant)} have spent`, lines: await read(reach) }]
      : []),
  ];
}

/** Days of the ledger are those of UTC. */
export const usageNote = 'Days begin at midnight UTC. Calls under way are not in it.';
