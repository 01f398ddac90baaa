import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { freePort } from '../../deploy/local/ports/ports.ts';
import { root, type Block, type Page } from './read-pages.ts';

/** What separates the outputs of two blocks. */
const separator = '\u001e';

/** A stand-in for `jq -r .a[0].b,.c`, because not every machine that runs the tests has jq. */
const jq = `#!/usr/bin/env node
const input = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
for (const path of process.argv.at(-1).split(',')) {
  const value = (path.match(/\\w+/g) ?? []).reduce((one, name) => one?.[name], input);
  console.log(typeof value === 'string' ? value : JSON.stringify(value ?? null, null, 2));
}
`;

/** Where the command line finds the stack. */
export type RunningStack = { url: string; environment: Record<string, string> };

export type Outcome = { block: Block; output: string };

/** Whether the runner runs a block, or writes it to the file that its first line names. */
export const isRun = (block: Block) => !block.notRun && (block.language === 'sh' || fileNameOf(block) !== undefined);

/** `// receive.mjs` as the first line of a program names its file. */
export const fileNameOf = ({ language, text }: Block) =>
  ['js', 'ts'].includes(language) ? /^\/\/ ([\w-]+\.m?[jt]s)$/m.exec(text.split('\n')[0] ?? '')?.[1] : undefined;

/**
 * Runs the blocks of a page one after the other in one shell, as a reader would type them. Its folder has what the
 * clone has: `./alfred`, `docs/` and the packages.
 *
 * @returns what each block printed
 * @throws with the block and its output when a command fails
 */
export async function runPage(page: Page, { url, environment }: RunningStack, withinMs = 100_000): Promise<Outcome[]> {
  const folder = await mkdtemp(join(tmpdir(), 'alfred-docs-'));
  const receiverPort = await freePort();
  const ofTest = (text: string) =>
    text.replaceAll('http://127.0.0.1:8080', url).replaceAll('9099', String(receiverPort));
  try {
    for (const name of ['alfred', 'docs', 'node_modules']) await symlink(join(root, name), join(folder, name));
    await writeFile(join(folder, 'jq'), jq);
    await chmod(join(folder, 'jq'), 0o755);
    const blocks = page.blocks.filter(isRun);
    for (const block of blocks) {
      const name = fileNameOf(block);
      if (name) await writeFile(join(folder, name), ofTest(block.text));
    }
    const commands = blocks.filter((block) => fileNameOf(block) === undefined);
    const script = commands.map((block, index) => `printf '${separator}${index}\\n'\n${ofTest(scriptOf(block))}\n`);
    const { code, output } = await runShell(`set -eu\nexec 2>&1\n${script.join('')}`, {
      cwd: folder,
      environment: { ...environment, ALFRED_URL: url },
      withinMs,
    });
    const outputs = output.split(separator).slice(1);
    const outcomes = commands.map((block, index) => ({ block, output: outputs[index]?.replace(/^.*\n/, '') ?? '' }));
    const last = commands[outputs.length - 1];
    if (code !== 0)
      throw new Error(`${page.path}:${last?.line} ended with ${code}:\n${last?.text}\n\n${outputs.at(-1)}`);
    return outcomes;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The info string `exit=124` says with which exit code the block ends. */
function scriptOf({ text, info }: Block): string {
  const code = /^exit=(\d+)$/.exec(info)?.[1];
  return code ? `set +e\n${text}\n[ $? = ${code} ] || { echo "expected exit code ${code}"; exit 1; }\nset -e` : text;
}

type Shell = { cwd: string; environment: Record<string, string>; withinMs: number };

async function runShell(script: string, { cwd, environment, withinMs }: Shell) {
  const PATH = [cwd, dirname(process.execPath), process.env.PATH].join(delimiter);
  // Its own process group, so that what a page leaves in the background ends with it.
  const child = spawn('bash', ['-c', script], {
    cwd,
    env: { PATH, HOME: process.env.HOME, NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const endGroup = () => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // All of its processes have ended.
    }
  };
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const timer = setTimeout(endGroup, withinMs);
  // Background programs of the page keep the pipes open until their group ends.
  const closed = once(child, 'close');
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(timer);
  endGroup();
  await closed;
  return { code, output };
}

/**
 * Compares what a page shows with what came. Ids, numbers and times may differ. A line that ends with `…` shows a
 * beginning, a line `…` stands for any lines.
 *
 * @returns the first line that the output does not have
 */
export function missingLine(shown: string, output: string): string | undefined {
  const came = output.split('\n').map(normalized);
  let at = 0;
  for (const line of shown.split('\n').filter((one) => one.trim() && one.trim() !== '…')) {
    const expected = normalized(line.replace(/…$/, ''));
    const found = came.findIndex(
      (one, index) => index >= at && (line.endsWith('…') ? one.startsWith(expected) : one === expected),
    );
    if (found < 0) return line;
    at = found + 1;
  }
  return undefined;
}

const normalized = (line: string) =>
  line
    .replace(/[0-9a-f]{8}(-|%2D)[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'ID')
    .replace(/namespaces\/\w+/, 'namespaces/NAME')
    .replace(/\d[\d.,:]*\d|\d/g, '#')
    .replace(/# m?s\b/g, '#')
    .replace(/\s+/g, ' ')
    .trim();
