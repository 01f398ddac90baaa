// Plain JavaScript for any Node >= 20: it runs before anything is installed.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Written by npm when an installation is complete: what it installed. */
const installedLock = join(root, 'node_modules', '.package-lock.json');

/**
 * Why the dependencies must be installed, or undefined when they are what the lock file says. Compared by version,
 * not by time: a checkout gives every file the time of the checkout.
 */
export function whyInstall() {
  if (!existsSync(join(root, 'node_modules'))) return 'nothing is installed yet';
  if (!existsSync(installedLock) || !existsSync(nodePath())) return 'an earlier installation was interrupted';
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const installed = packagesOf(installedLock);
  // Packages for other platforms are wanted by the lock file and never installed here.
  const stale = Object.entries(wanted).some(([path, { version, optional, peer, link }]) => {
    if (path === '' || link) return false;
    const found = installed[path];
    return found ? found.version !== version : !optional && !peer;
  });
  return stale ? 'the lock file has changed' : undefined;
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
  } catch {
    return {};
  }
}

/** The Node that the project brings along, a real binary: a signal to it reaches the program and nothing in between. */
export function nodePath() {
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve('node/package.json');
    return join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  } catch {
    return join(root, 'node_modules', 'node', 'bin', 'node');
  }
}

/**
 * Installs what the lock file says, if it is not there.
 *
 * @param {(line: string) => void} say takes one line for people
 * @returns {Promise<boolean>} whether something was installed
 * @throws Error with npm's last lines and what to do
 */
export async function ensureInstalled(say = (line) => process.stderr.write(`${line}\n`)) {
  const reason = whyInstall();
  if (!reason) return false;
  const begun = Date.now();
  say(`Installing dependencies (${reason}) …`);
  const output = await run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund']);
  if (output.code !== 0) {
    throw new Error(
      [
        `npm ci failed${output.code === null ? '' : ` with exit code ${output.code}`}. Its last lines:`,
        ...output.lines.slice(-15).map((line) => `  ${line}`),
        'Check the connection to the package registry and the free disk space, then repeat the command.',
      ].join('\n'),
    );
  }
  const why = whyInstall();
  if (why) throw new Error(`npm ci ended, but ${why}. Delete node_modules and repeat the command.`);
  say(`Installed dependencies in ${((Date.now() - begun) / 1000).toFixed(1)} s.`);
  return true;
}

function run(command, args) {
  return new Promise((resolve) => {
    const lines = [];
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => lines.push(...text.split('\n').filter((line) => line.trim())));
    }
    child.once('error', (error) => resolve({ code: null, lines: [...lines, error.message] }));
    child.once('close', (code) => resolve({ code, lines }));
  });
}
