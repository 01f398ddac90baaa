import { spawn, spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext } from '../../cli/create-context.ts';
import { examples } from '../../cli/examples.ts';
import { issueInWordsOf } from '../../cli/issue-of-command.ts';
import { allCommands, commandNames, createProgram, pathOf } from '../../cli/program.ts';
import { tooOld } from '../../runtime/require-node.mjs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const clone = fileURLToPath(new URL('../../', import.meta.url));
const launcher = join(clone, 'alfred');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alfred launcher '));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (file: string, args: string[], cwd = folder) => {
  const { status, stdout, stderr } = spawnSync(file, args, { cwd, encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } });
  return { status, stdout, stderr };
};

test('from another folder, and through symbolic links, the launcher finds its clone', async () => {
  const direct = run(launcher, ['--version']);
  expect(direct).toMatchObject({ status: 0, stderr: '' });
  await mkdir(join(folder, 'bin'));
  await symlink(launcher, join(folder, 'first'));
  await symlink('../first', join(folder, 'bin', 'alfred'));
  expect(run(join(folder, 'bin', 'alfred'), ['--version'])).toEqual(direct);
});

test('where nothing is installed, the launcher says so in one line and ends with 2', async () => {
  const copy = join(folder, 'a copy');
  await mkdir(copy);
  await cp(launcher, join(copy, 'alfred'));
  const { status, stdout, stderr } = run(join(copy, 'alfred'), ['--version']);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).toContain('npm start');
});

describe('with a program in place of Node', () => {
  let copy: string;
  beforeAll(async () => {
    copy = await mkdtemp(join(folder, 'clone '));
    await mkdir(join(copy, 'node_modules', 'node', 'bin'), { recursive: true });
    await cp(launcher, join(copy, 'alfred'));
  });
  const node = async (script: string) => {
    const file = join(copy, 'node_modules', 'node', 'bin', 'node');
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
  };

  test('arguments arrive as they are, and the exit code comes back', async () => {
    await node('printf "[%s]" "$@"; exit 7');
    const { status, stdout } = run(join(copy, 'alfred'), ['ask', 'two  words', '', '*']);
    expect({ status, stdout }).toEqual({ status: 7, stdout: `[${copy}/cli/main.ts][ask][two  words][][*]` });
  });

  test('a signal reaches the program itself', async () => {
    await node('trap "exit 42" INT; echo ready; while :; do read -r line || exit 1; done');
    const child = spawn(join(copy, 'alfred'), [], { stdio: ['pipe', 'pipe', 'inherit'] });
    const code = new Promise((resolve) => child.once('exit', resolve));
    // The program may have ended before the line arrives.
    child.stdin.on('error', () => undefined);
    child.stdout.once('data', () => {
      child.kill('SIGINT');
      // Some shells run a trap only when `read` comes back.
      child.stdin.write('\n');
    });
    expect(await code).toBe(42);
  });
});

test('a wrong command or option is named once, with the help to look at', () => {
  const errors = [
    [['tasks', 'lst'], "error: `alfred tasks` has no command 'lst'\n(`alfred tasks --help` says more)\n"],
    [['tasks', 'list', '--nonsense'], "error: unknown option '--nonsense'\n(`alfred tasks list --help` says more)\n"],
    [['tasks', 'show'], "error: missing required argument 'id'\n(`alfred tasks show --help` says more)\n"],
  ] as const;
  for (const [args, stderr] of errors) expect(run(launcher, [...args])).toEqual({ status: 2, stdout: '', stderr });
});

test('every command has an example, which its own options accept', async () => {
  const program = await createProgram(commandNames, createContext());
  const paths: string[] = [];
  for (const command of allCommands(program)) {
    if (command !== program) paths.push(pathOf(command).replace('alfred ', ''));
    command.exitOverride().action(() => undefined);
  }
  expect(paths.filter((path) => !examples[path])).toEqual([]);
  expect(Object.keys(examples).filter((path) => !paths.includes(path))).toEqual([]);
  for (const line of Object.values(examples).flat()) {
    const words = /alfred ([^|)]*)/.exec(line)?.[1] ?? '';
    const args = [...words.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
    const outcome = await program.parseAsync(args, { from: 'user' }).then(
      () => 'accepted',
      (error: Error) => error.message,
    );
    expect({ line, outcome }).toEqual({ line, outcome: 'accepted' });
  }
});

test('what the API found wrong is said by the name of the option or argument', async () => {
  const program = await createProgram(['tasks', 'schedules', 'ask'], createContext());
  const find = (path: string) => allCommands(program).find((command) => pathOf(command) === `alfred ${path}`);
  const say = (path: string, issue: string) => issueInWordsOf(find(path), { path: issue, message: 'wrong' });
  expect(say('tasks list', 'query.limit')).toBe('--limit: wrong');
  expect(say('ask', 'budget.maxCostUsd')).toBe('--max-cost-usd: wrong');
  expect(say('ask', 'input.text')).toBe('<question>: wrong');
  expect(say('schedules add', 'timing.everyS')).toBe('--every: wrong');
  expect(say('schedules add', 'action.notify.slack.channel')).toBe('--slack-channel: wrong');
  expect(say('tasks list', 'query.other.0')).toBe('other: wrong');
  expect(say('tasks list', '')).toBe('wrong');
});

test.each([
  ['api/main.ts', 'node api/start.mjs '],
  ['api/start.mjs', 'node api/start.mjs '],
  ['workers/start.mjs', '--queue <name>'],
  ['slack/start.mjs', 'node slack/start.mjs '],
])('%s --help prints how it is started', (entry, text) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, '--help'], { cwd: clone, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain(text);
});

test('an old Node says in a line that a role needs a newer one, and which', () => {
  expect(tooOld('v24.0.0', 'api/start.mjs')).toBeUndefined();
  expect(tooOld('v26.1.0', 'api/start.mjs')).toBeUndefined();
  expect(tooOld('v20.20.2', 'api/start.mjs')).toBe(
    'api/start.mjs needs Node 24 or newer, this is v20.20.2. The clone has one: node_modules/.bin/node api/start.mjs',
  );
});

describe('completion', () => {
  const isThere = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;
  const inShell = (shell: string, args: string[], program: string) => {
    const { status, stdout, stderr } = spawnSync(shell, args, { cwd: clone, encoding: 'utf8' });
    expect({ program, status, stderr }).toEqual({ program, status: 0, stderr: '' });
    return stdout.trim().split('\n');
  };
  /** Asks each shell for what can stand in place of the last word. */
  const shells = {
    bash: (program: string, words: string[]) => {
      const line = words.map((word) => `'${word}'`).join(' ');
      const script = `eval "$("$0" completion bash)"; complete -p alfred >/dev/null; COMP_WORDS=("$0" ${line}); COMP_CWORD=${words.length}; _alfred_complete; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return inShell('bash', ['-c', script, program], program);
    },
    zsh: (program: string, words: string[]) => {
      const line = words.map((word) => `'${word}'`).join(' ');
      const script = `compdef() { :; }; _describe() { print -l -- \${(P)2}; }; source <("$0" completion zsh); words=("$0" ${line}); CURRENT=${words.length + 1}; _alfred`;
      return inShell('zsh', ['-f', '-c', script, program], program).map((found) => found.split(':')[0]);
    },
    fish: (program: string, words: string[]) => {
      const script = `"${program}" completion fish | source; complete -C '${[program, ...words].join(' ')}'`;
      return inShell('fish', ['--no-config', '-c', script], program).map((found) => found.split('\t')[0]);
    },
  };

  for (const [shell, complete] of Object.entries(shells)) {
    // `npm test` counts the tests of a shell that is not installed as skipped.
    const testIn = isThere(shell) ? test : test.skip;
    testIn(`${shell} completes commands, options and values, also of ./alfred`, () => {
      expect(complete('./alfred', ['tasks', ''])).toEqual(expect.arrayContaining(['list', 'show', 'cancel']));
      expect(complete(launcher, ['ask', '--time'])).toEqual(['--timeout']);
      expect(complete(launcher, ['ask', '--agent', 'know'])).toEqual(['knowledge']);
    });
  }
});
