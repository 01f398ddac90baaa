// `npm test`. Plain JavaScript, so that any Node from 20 on can run it. It installs missing dependencies, runs all
// checks and tests, and prints the counts on the last line. Arguments after `--` go to Jest; then the other checks are
// skipped. Test files that fail run again, alone: docs/adr/0040-test-files-that-fail-run-again-alone.md.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { ensureInstalled, nodePath, root } from '../deploy/local/install.mjs';

const checks = ['lint', 'arrows', 'types', 'unused', 'format:check'];
const jestArguments = process.argv.slice(2);
/** Test files that are run again. When more have failed, something is broken. */
const mostRepeated = 5;

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

const counts = { passed: 0, failed: 0, skipped: 0, repeated: 0 };
if (jestArguments.length === 0) {
  for (const name of checks) {
    if (stopped) break;
    const { code, ms } = await run(scripts[name], { shell: true });
    counts[code === 0 ? 'passed' : 'failed']++;
    console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${(ms / 1000).toFixed(1)} s)`);
  }
}

if (!stopped) await runTests();
if (stopped) counts.failed++;

const rest = [
  [counts.skipped, 'skipped'],
  [counts.repeated, 'passed only when repeated'],
].flatMap(([count, what]) => (count > 0 ? [`, ${count} ${what}`] : []));
console.log(`\n${counts.passed} passed, ${counts.failed} failed${rest.join('')}`);
process.exitCode = counts.failed > 0 ? 1 : 0;

async function runTests() {
  const first = await runJest(jestArguments);
  const failed = first.files.filter(({ status }) => status === 'failed');
  const isRepeated = !stopped && jestArguments.length === 0 && failed.length > 0 && failed.length <= mostRepeated;
  const paths = failed.map(({ name }) => name);
  if (isRepeated) console.log(`\nThese test files failed. They run again, alone:\n${paths.join('\n')}\n`);
  const second = isRepeated ? await runJest(['--runInBand', '--runTestsByPath', ...paths]) : { code: 0, files: [] };
  for (const file of first.files) {
    const again = second.files.find(({ name }) => name === file.name);
    countTests(again ?? file);
    if (again && again.status !== 'failed') listRepeated(file);
  }
  // A run that ends without a failed test has failed too, as when its servers do not start.
  if ((isRepeated ? second.code : first.code) !== 0 && counts.failed === 0) counts.failed++;
}

function countTests({ status, assertionResults: tests }) {
  const count = (...states) => tests.filter((test) => states.includes(test.status)).length;
  counts.passed += count('passed');
  // A file that does not load has no tests, so it is counted as one failure.
  counts.failed += Math.max(count('failed'), status === 'failed' ? 1 : 0);
  counts.skipped += count('pending', 'todo', 'skipped', 'disabled');
}

/** @param file a report of the first run, in which the file failed */
function listRepeated({ name, assertionResults: tests }) {
  const failed = tests.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
  const listed = failed.length > 0 ? failed : ['the file did not load'];
  counts.repeated += listed.length;
  console.log(['', `${name}: passed only when repeated:`, ...listed.map((test) => `  ${test}`)].join('\n'));
}

async function runJest(more) {
  const folder = mkdtempSync(join(tmpdir(), 'alfred-jest-'));
  const report = join(folder, 'report.json');
  const args = [...scripts.jest.split(' ').slice(1), '--json', `--outputFile=${report}`, ...more];
  const { code } = await run(node, { args });
  const files = readReport(report)?.testResults ?? [];
  rmSync(folder, { recursive: true, force: true });
  return { code, files };
}

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
