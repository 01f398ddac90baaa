// Plain JavaScript for any Node >= 20: it runs before anything is installed.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Node's compile cache (NODE_COMPILE_CACHE). It is kept beside the packages, so that it is deleted with them. */
export const compileCache = join(root, 'node_modules', '.cache', 'node');

/** npm writes this list of installed packages when an installation is complete. */
const installedLock = join(root, 'node_modules', '.package-lock.json');

/** Lock file, present while npm runs: two installations in one clone would delete each other's files. */
const lockFile = join(root, '.alfred', 'installing');

/**
 * Why the dependencies must be installed; undefined when they match package-lock.json. Versions are compared and not
 * file times, because a checkout gives every file the time of the checkout.
 */
export function installReason() {
  if (!existsSync(join(root, 'node_modules'))) return 'nothing is installed yet';
  if (!existsSync(installedLock) || !existsSync(nodePath())) return 'an earlier installation was interrupted';
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const installed = packagesOf(installedLock);
  // package-lock.json also lists packages for other platforms, which are never installed here.
  const stale = Object.entries(wanted).some(([path, { version, optional, peer, link }]) => {
    if (path === '' || link) return false;
    const present = installed[path];
    return present ? present.version !== version : !optional && !peer;
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

/**
 * The path of the Node that the project brings along. It is a real binary, so a signal reaches the program directly.
 */
export function nodePath() {
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve('node/package.json');
    return join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  } catch {
    return join(root, 'node_modules', 'node', 'bin', 'node');
  }
}

/**
 * Installs the dependencies if they do not match package-lock.json.
 *
 * @param {(line: string) => void} print prints one line for people
 * @returns {Promise<boolean>} whether something was installed
 * @throws Error with npm's last lines and what to do
 */
export async function ensureInstalled(print = (line) => process.stderr.write(`${line}\n`)) {
  const reason = installReason();
  if (!reason) return false;
  takeLock();
  const startedAt = Date.now();
  const seconds = () => ((Date.now() - startedAt) / 1000).toFixed(1);
  const hideProgress = showProgress(() => `Installing dependencies (${reason}) … ${seconds()} s`, print);
  // Under `npm start`, use the npm that the person called, with its own settings.
  const npm = process.env.npm_execpath;
  const [command, npmArguments] = npm?.endsWith('npm-cli.js')
    ? [process.execPath, [npm]]
    : [process.platform === 'win32' ? 'npm.cmd' : 'npm', []];
  const npmRun = (...args) => run(command, [...npmArguments, ...args]);
  await installPackages(npmRun).finally(() => {
    hideProgress();
    rmSync(lockFile, { force: true });
  });
  const remaining = installReason();
  if (remaining) throw new Error(`npm ci ended, but ${remaining}. Delete node_modules and repeat the command.`);
  print(`Installed dependencies in ${seconds()} s.`);
  return true;
}

/**
 * Installs what package-lock.json lists: from npm's cache alone when no registry answers, else from the registry.
 *
 * @param {NpmRun} npmRun
 * @throws Error with npm's last lines and what to do
 */
export async function installPackages(npmRun) {
  const ci = (...options) => npmRun('ci', '--no-audit', '--no-fund', '--include=dev', ...options);
  const isReachable = (await registryFault(npmRun)) === undefined;
  // Without a connection npm repeats each of a thousand requests for minutes. Its cache may hold everything.
  if (!isReachable && (await ci('--offline')).code === 0) return;
  // The ping may have failed alone: by a connection that broke once, or by a proxy that lets no pings through. One
  // repeat of each request is enough to find out, and npm's own time limits leave room for a slow connection.
  const { code, lines } = isReachable ? await ci() : await ci('--fetch-retries=1');
  if (code === 0) return;
  const fault = connectionFault(lines);
  const isAway = !isReachable && fault !== undefined;
  throw new Error(
    [
      isAway
        ? `The package registry cannot be reached (${fault}), and npm's cache does not hold every package. The last lines of npm ci:`
        : `npm ci failed${code === null ? '' : ` with exit code ${code}`}. Its last lines:`,
      ...lines.slice(-15).map((line) => `  ${line}`),
      isAway
        ? 'The first start needs it: check the connection, and the registry and proxy of npm (`npm config list`), then repeat the command.'
        : 'Check the connection to the package registry and the free disk space, then repeat the command.',
    ].join('\n'),
  );
}

/** @typedef {(...args: string[]) => Promise<{ code: number | null, lines: string[] }>} NpmRun */

/** What npm says when it gets no connection at all. Every other answer, also a refusal, is one of a registry. */
const connectionFaults = [
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ETIMEDOUT',
  'ERR_SOCKET_TIMEOUT',
  'FETCH_ERROR',
];

/**
 * Asks the registry that npm is set to once, without repeats.
 *
 * @param {NpmRun} npmRun
 * @returns {Promise<string | undefined>} the code of the fault when no registry answers
 */
export async function registryFault(npmRun) {
  const { code, lines } = await npmRun('ping', '--fetch-retries=0', '--fetch-timeout=10000');
  return code === 0 ? undefined : connectionFault(lines);
}

function connectionFault(lines) {
  const text = lines.join('\n');
  return connectionFaults.find((fault) => new RegExp(`\\b${fault}\\b`).test(text));
}

/** Redraws one line on a terminal, or prints one line elsewhere. @returns a function that removes the line */
function showProgress(text, print) {
  if (!process.stderr.isTTY || process.env.CI) {
    print(text().replace(/ [\d.]+ s$/, ''));
    return () => undefined;
  }
  const show = () => process.stderr.write(`\r\x1b[K${text()}`);
  const timer = setInterval(show, 100);
  show();
  return () => {
    clearInterval(timer);
    process.stderr.write('\r\x1b[K');
  };
}

function takeLock() {
  try {
    mkdirSync(join(root, '.alfred'), { recursive: true });
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if (error.code !== 'EEXIST') {
      throw new Error(
        `${root} cannot be written (${error.code}), so nothing can be installed there: make it writable, or clone into a folder that is.`,
        { cause: error },
      );
    }
    const pid = Number(readFileSync(lockFile, 'utf8'));
    if (isAlive(pid))
      throw new Error(
        `Dependencies are being installed in this clone already (process ${pid}): wait for it, then repeat the command.`,
        { cause: error },
      );
    writeFileSync(lockFile, String(process.pid));
  }
}

function isAlive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function run(command, args) {
  return new Promise((resolve) => {
    const lines = [];
    const child = spawn(command, args, {
      cwd: root,
      // Keeps the ONNX runtime from downloading GPU libraries.
      env: { ONNXRUNTIME_NODE_INSTALL: 'skip', ...process.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: command.endsWith('.cmd'),
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => lines.push(...text.split('\n').filter((line) => line.trim())));
    }
    child.once('error', (error) => resolve({ code: null, lines: [...lines, error.message] }));
    child.once('close', (code) => resolve({ code, lines }));
  });
}
