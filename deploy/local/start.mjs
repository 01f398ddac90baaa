// `npm start`. Plain JavaScript without dependencies: any Node >= 20 installs what is missing, then the Node that the
// project brings along runs the stack.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compileCache, ensureInstalled, nodePath } from './install.mjs';

const begun = Date.now() - process.uptime() * 1000;
const [major] = process.versions.node.split('.').map(Number);

if (major < 20) {
  process.stderr.write(
    `Alfred needs Node 20 or newer, this is ${process.version}. Install one from https://nodejs.org\n`,
  );
  process.exit(1);
}

const before = Date.now();
try {
  await ensureInstalled((line) => process.stdout.write(`${line}\n`));
} catch (error) {
  process.stderr.write(`\nAlfred cannot start: ${error.message}\n`);
  process.exit(1);
}
// From process start to ready, the one-time installation left out.
const startedMs = Math.round(begun + (Date.now() - before));

const child = spawn(
  nodePath(),
  [
    '--disable-warning=ExperimentalWarning',
    fileURLToPath(new URL('./main.ts', import.meta.url)),
    ...process.argv.slice(2),
  ],
  {
    // The channel tells the stack when we are killed, so that it does not live on unseen.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    // What Node compiled is kept beside the packages it came from: a third of the time that loading takes.
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env, ALFRED_START_BEGUN_MS: String(startedMs) },
  },
);
// A terminal's Ctrl-C reaches the stack without us as well, and npm sends it once more: it takes them for one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.once('error', (error) => {
  process.stderr.write(
    `Alfred cannot start ${nodePath()}: ${error.message}\nInstall again: rm -rf node_modules && npm start\n`,
  );
  process.exit(1);
});
child.once('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
