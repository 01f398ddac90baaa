import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);
/** @throws with what the command printed */
const run = async (cwd: string, command: string, ...args: string[]) => {
  try {
    return (await exec(command, args, { cwd, maxBuffer: 10_000_000 })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
};

const root = process.cwd();

/**
 * Packs the client as `npm pack` does in a clean clone, and installs the package without a network.
 *
 * @returns a folder of a project that has the package, and the names of the files in it
 */
export async function packClient() {
  const folder = await mkdtemp(join(tmpdir(), 'alfred-client-'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const name of ['src', 'package.json', 'tsconfig.json', 'README.md', 'LICENSE'])
    await cp(join(root, 'client', name), join(folder, 'client', name), { recursive: true });
  const packed = await run(join(folder, 'client'), 'npm', 'pack', '--json', '--pack-destination', folder);
  // The scripts of the package print before the list.
  const [{ filename, files }] = JSON.parse(packed.slice(packed.indexOf('[\n'))) as [
    { filename: string; files: { path: string }[] },
  ];

  const project = join(folder, 'project');
  await mkdir(project);
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'project', type: 'module' }));
  await run(project, 'npm', 'install', '--offline', '--no-save', join(folder, filename));
  const node = await plainNode();
  return {
    project,
    files: files.map(({ path }) => path),
    /** Compiles the `.ts` files of the project, strictly. @throws with what the compiler printed */
    compile: (options: object, include: string[]) => compile(project, options, include),
    /** Runs a compiled file. @returns what it prints */
    run: async (file: string, env: Record<string, string>) =>
      (await exec(node, [file], { cwd: project, env: { ...process.env, ...env }, timeout: 60_000 })).stdout,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function compile(project: string, compilerOptions: object, include: string[]) {
  const strict = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
  };
  const config = { compilerOptions: { ...strict, target: 'es2022', ...compilerOptions }, include };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(config));
  await run(project, process.execPath, join(root, 'node_modules/typescript/bin/tsc'), '--project', 'tsconfig.json');
}

/** The code blocks of the package's README in one language, in order. */
export async function readmeBlocks(language: 'ts' | 'js'): Promise<string[]> {
  const text = await readFile(join(root, 'client/README.md'), 'utf8');
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].flatMap(([, name, block = '']) =>
    name === language ? [block] : [],
  );
}

/** The plain `node` of this machine, as users of the package have it, or ours where that is older than 20. */
async function plainNode(): Promise<string> {
  for (const node of ['/usr/local/bin/node', '/usr/bin/node']) {
    const version = await exec(node, ['--version']).then(
      ({ stdout }) => stdout,
      () => '',
    );
    if (Number(/^v(\d+)/.exec(version)?.[1]) >= 20) return node;
  }
  return process.execPath;
}
