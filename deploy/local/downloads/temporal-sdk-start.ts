import { Runtime } from '@temporalio/worker';
import manifest from '../../../package.json' with { type: 'json' };

// Downloads the SDK's development server into the folder that is given as argument, by starting and stopping it once.
const runtime = Runtime.instance();
try {
  const server = await runtime.createEphemeralServer({
    type: 'dev-server',
    exe: {
      type: 'cached-download',
      downloadDir: process.argv[2] ?? null,
      version: 'default',
      ttl: 0,
      sdkName: 'sdk-typescript',
      sdkVersion: manifest.dependencies['@temporalio/worker'],
    },
    namespace: 'default',
    ip: '127.0.0.1',
    port: null,
    uiPort: null,
    dbFilename: null,
    ui: false,
    log: { format: 'pretty', level: 'error' },
    extraArgs: [],
  });
  await runtime.shutdownEphemeralServer(server);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
