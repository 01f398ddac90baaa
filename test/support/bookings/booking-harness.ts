import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAdapters } from '../../../wiring/adapters.ts';
import { startBookingServer } from './booking-server.ts';
import { createTestEnvironment } from '../environment/environment.ts';
import { watchCrashPoints } from '../processes/crash-points.ts';

/** A model that books by a script, an agent with rules for it, the server it books at, and a watch for bad moments. */
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
    ...{ bookingServer: bookingServer, env, adapters, crashPoints: crashPoints },
    /** Worker processes that serve its agent are started with this. */
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
