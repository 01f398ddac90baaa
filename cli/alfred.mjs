#!/usr/bin/env node
// Plain JavaScript for any Node >= 20. Alfred itself is TypeScript, which the Node of the project's dependencies runs.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as module from 'node:module';
import { fileURLToPath } from 'node:url';
import { compileCache, nodePath } from '../deploy/local/install.mjs';

const main = new URL('./main.ts', import.meta.url);
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143, SIGKILL: 137 };

if (!existsSync(nodePath())) {
  process.stderr.write('Alfred is not installed yet. Run `npm start` (or `npm ci`) in the clone first.\n');
  process.exitCode = 2;
} else if (Number(process.versions.node.split('.')[0]) >= 24) {
  module.enableCompileCache(compileCache);
  await import(main.href);
} else {
  const child = spawn(nodePath(), [fileURLToPath(main), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env },
  });
  // A terminal sends the signal to the child as well as to us. The child ignores the second one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => {
    process.stderr.write(
      `Cannot start ${nodePath()}: ${error.message}\nRun \`npm ci\` in the clone and repeat the command.\n`,
    );
    process.exitCode = 1;
  });
  child.once('exit', (code, signal) => {
    process.exitCode = signal ? (exitCodes[signal] ?? 1) : (code ?? 1);
  });
}
