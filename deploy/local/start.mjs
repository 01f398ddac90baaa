// `npm start`. Plain JavaScript without dependencies, so that any Node from 20 on can run it. It installs the
// dependencies when they are missing, then runs the stack on the Node that the project brings along.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileCache, ensureInstalled, nodePath } from './install.mjs';

const processStartedMs = Date.now() - process.uptime() * 1000;
const [major] = process.versions.node.split('.').map(Number);

if (major < 20) {
  process.stderr.write(
    `Alfred needs Node 20 or newer, this is ${process.version}. Install one from https://nodejs.org\n`,
  );
  process.exit(1);
}

const installStartedMs = Date.now();
try {
  await ensureInstalled((line) => process.stdout.write(`${line}\n`));
} catch (error) {
  process.stderr.write(`\nAlfred cannot start: ${error.message}\n`);
  process.exit(1);
}
// The start time without the one-time installation, for the metric `cold_start_seconds`.
const startedMs = Math.round(processStartedMs + (Date.now() - installStartedMs));

const child = spawn(
  nodePath(),
  [
    '--disable-warning=ExperimentalWarning',
    // For settings that a person keeps in a file, as secrets are. Those of the environment come before them.
    ...(existsSync('.env') ? ['--env-file=.env'] : []),
    fileURLToPath(new URL('./main.ts', import.meta.url)),
    ...process.argv.slice(2),
  ],
  {
    // When this process is killed, the channel closes and the stack stops, so that it does not keep running unnoticed.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    // Node's compile cache, kept beside the packages. It saves a third of the loading time.
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env, ALFRED_START_BEGUN_MS: String(startedMs) },
  },
);
// Ctrl-C in a terminal reaches the stack directly too, and npm forwards it again. The stack treats them as one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.once('error', (error) => {
  process.stderr.write(
    `Alfred cannot start ${nodePath()}: ${error.message}\nInstall again: rm -rf node_modules && npm start\n`,
  );
  process.exit(1);
});
child.once('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
