import { createAdapters } from '../../../wiring/adapters.ts';
import { agents, type Agent } from '../../../agents/index.ts';
import { createTools } from '../../../agents/tools/index.ts';
import { agentQueue, systemQueue } from '../../../contract/ids.ts';
import { openEdge } from '../../../runtime/edge.ts';
import { runMain } from '../../../runtime/main.ts';
import { startWorkers } from '../../../workers/compose.ts';
import { bookingTool } from './booking-tool.ts';

// A worker as in production, with one more tool:
// `node test/support/bookings/booking-worker.ts <url of the booking server>`
const [, , url = ''] = process.argv;
const knowledge = agents['knowledge'] as Agent;

await runMain(async (config) => {
  const edge = await openEdge(config, 'worker');
  const adapters = createAdapters(edge);
  const book = bookingTool(url);
  await startWorkers(
    edge,
    { ...adapters, tools: { ...createTools(config, adapters), [book.name]: book } },
    [agentQueue('knowledge'), systemQueue],
    {
      agents: {
        ...agents,
        knowledge: { ...knowledge, tools: [...knowledge.tools, book.name], withoutApproval: [book.name] },
      },
    },
  );
  edge.log.info('ready');
});
