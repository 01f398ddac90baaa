// `npm test`. Plain JavaScript, so that any Node from 20 on can run it. It installs missing dependencies, runs all
// checks and tests, and prints the counts on the last line. Arguments after `--` go to Jest; then the other checks are
// skipped.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { ensureInstalled, nodePath, root } from '../deploy/local/install.mjs';

const checks = ['lint', 'arrows', 'types', 'unused', 'format:check'];
const jestArguments = process.argv.slice(2);

try {
  await ensureInstalled((line) => console.log(line));
} catch (error) {
  console.error(error.message);
  console.log('0 passed, 1 failed');
  process.exit(1);
}

const node = nodePath();
// The scripts and everything that they start run on the project's own Node.
const PATH = [dirname(node), join(root, 'node_modules/.bin'), process.env.PATH].join(
  process.platform === 'win32' ? ';' : ':',
);
const env = { ...process.env, PATH };
const scripts = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts;

let current;
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    stopped = true;
    current?.kill(signal);
  });
}

const counts = { passed: 0, failed: 0, skipped: 0 };
if (jestArguments.length === 0) {
  for (const name of checks) {
    if (stopped) break;
    const { code, ms } = await run(scripts[name], { shell: true });
    counts[code === 0 ? 'passed' : 'failed']++;
    console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${(ms / 1000).toFixed(1)} s)`);
  }
}

if (!stopped) {
  const folder = mkdtempSync(join(tmpdir(), 'alfred-jest-'));
  const report = join(folder, 'report.json');
  const jest = [...scripts.jest.split(' ').slice(1), '--json', `--outputFile=${report}`, ...jestArguments];
  const { code } = await run(node, { args: jest });
  const results = readReport(report);
  rmSync(folder, { recursive: true, force: true });
  if (results) {
    counts.passed += results.numPassedTests;
    // A file that does not load has no tests, so it is counted as one failure.
    counts.failed += results.numFailedTests + results.numRuntimeErrorTestSuites;
    counts.skipped += results.numPendingTests + results.numTodoTests;
  }
  if (code !== 0 && counts.failed === 0) counts.failed++;
} else {
  counts.failed++;
}

console.log(
  `\n${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`,
);
process.exitCode = counts.failed > 0 ? 1 : 0;

function run(command, { args = [], shell = false }) {
  const startedAt = Date.now();
  return new Promise((resolve) => {
    // With --json and --outputFile Jest writes the report to the file and its progress to standard error.
    current = spawn(command, args, { cwd: root, env, shell, stdio: ['ignore', 'inherit', 'inherit'] });
    current.once('error', (error) => {
      console.error(`${command} cannot be run: ${error.message}`);
      resolve({ code: 1, ms: Date.now() - startedAt });
    });
    current.once('close', (code) => resolve({ code: code ?? 1, ms: Date.now() - startedAt }));
  });
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
