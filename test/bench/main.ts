import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createLogger } from '../../runtime/logger.ts';
import { measureAddedFolder } from './added-folder.ts';
import { measureCounts } from './counts.ts';
import { measureDeletion } from './deletion.ts';
import { measureLongConversation } from './long-conversation.ts';
import { measureManyConversations } from './many-conversations.ts';
import { measureSearches } from './searches.ts';
import type { Cleanups } from './servers.ts';
import { measureStoredAnswers } from './stored-answers.ts';
import { measureStreams } from './streams.ts';
import { measureTasks } from './tasks.ts';
import { measureThousandCalls } from './thousand-calls.ts';
import { measureWaitingTasks } from './waiting-tasks.ts';

// `npm run bench`: the options are described in docs/benchmarks.md.
const { values } = parseArgs({
  options: {
    sequential: { type: 'string', default: '100' },
    tasks: { type: 'string', default: '500' },
    concurrency: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '3' },
    streams: { type: 'string' },
    thousand: { type: 'boolean', default: false },
    calls: { type: 'string', default: '1000' },
    conversation: { type: 'string' },
    conversations: { type: 'string' },
    search: { type: 'string' },
    files: { type: 'string' },
    answers: { type: 'string' },
    waiting: { type: 'string' },
    counts: { type: 'string' },
    deletion: { type: 'boolean', default: false },
    rows: { type: 'string', default: '200000' },
  },
});
const concurrency = Number(values.concurrency);

const dir = await mkdtemp(join(tmpdir(), 'alfred-bench-'));
const log = createLogger({ ALFRED_LOG_LEVEL: 'warn', ALFRED_LOG_FORMAT: 'pretty' }, 'bench');
const cleanups: Cleanups = [() => rm(dir, { recursive: true, force: true })];
const surroundings = { dir, log, cleanups };
try {
  if (values.streams) await measureStreams({ count: Number(values.streams), ...surroundings });
  else if (values.thousand) await measureThousandCalls({ calls: Number(values.calls), ...surroundings });
  else if (values.conversation)
    await measureLongConversation({ messages: Number(values.conversation), ...surroundings });
  else if (values.conversations)
    await measureManyConversations({ count: Number(values.conversations), concurrency, ...surroundings });
  else if (values.deletion) await measureDeletion({ count: Number(values.rows), ...surroundings });
  else if (values.files) await measureAddedFolder({ count: Number(values.files), ...surroundings });
  else if (values.answers) await measureStoredAnswers({ count: Number(values.answers), ...surroundings });
  else if (values.waiting) await measureWaitingTasks({ count: Number(values.waiting), ...surroundings });
  else if (values.counts) await measureCounts({ count: Number(values.counts), ...surroundings });
  else if (values.search) await measureSearches({ count: Number(values.search), ...surroundings });
  else
    await measureTasks({
      sequential: Number(values.sequential),
      tasks: Number(values.tasks),
      concurrency,
      rounds: Number(values.rounds),
      ...surroundings,
    });
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
}
process.exit(0);
