import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAdapters } from '../../../wiring/adapters.ts';
import { startBookingServer } from './booking-server.ts';
import { createTestEnvironment } from '../environment/environment.ts';
import { watchCrashPoints } from '../processes/crash-points.ts';

/**
 * A booking server, an agent whose scripted model books there, and the crash points of its workers.
 *
 * @param options.approvals the agent's approval rules
 * @param options.turns the model's script
 */
export async function createBookingHarness({ approvals, turns }: { approvals: object[]; turns: object[] }) {
  const bookingServer = await startBookingServer();
  const env = await createTestEnvironment({
    ALFRED_MODEL: 'scripted:test',
    ALFRED_AGENTS: JSON.stringify({ knowledge: { approvals } }),
    ALFRED_SCRIPT_FILE: 'to be written',
  });
  const script = join(env.config.ALFRED_DATA_DIR, 'script.json');
  await writeFile(script, JSON.stringify({ turns }));
  env.config = { ...env.config, ALFRED_SCRIPT_FILE: script };
  const adapters = createAdapters(env);
  const crashPoints = await watchCrashPoints(env.config.DATABASE_URL);
  return {
    bookingServer,
    env,
    adapters,
    crashPoints,
    /** The entry file and the arguments of a worker process that serves the agent. */
    workerArgs: ['test/support/bookings/booking-worker.ts', bookingServer.url],
    async close() {
      await crashPoints.close();
      await adapters.close();
      await env.close();
      bookingServer.server.close();
      bookingServer.server.closeAllConnections();
    },
  };
}
export type BookingHarness = Awaited<ReturnType<typeof createBookingHarness>>;
