import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError } from '../cli-error.ts';

const typesFile = fileURLToPath(new URL('../../agents/packs/surface/types.ts', import.meta.url));

const functions = `
export { z } from 'zod';
/** The version of this surface. */
export declare const surfaceVersion: 1;
/** Defines a tool of an agent. */
export declare const defineTool: DefineTool;
/** Defines an agent. It is the default export of \`agents/<name>/agent.ts\`. */
export declare const defineAgent: DefineAgent;
/** An error of a tool whose message the model or a person reads. */
export declare const toolError: MakeToolError;
`;

const tsconfig = {
  compilerOptions: {
    target: 'es2024',
    lib: ['es2024'],
    module: 'nodenext',
    moduleResolution: 'nodenext',
    noEmit: true,
    allowImportingTsExtensions: true,
    strict: true,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
    resolveJsonModule: true,
    skipLibCheck: true,
    typeRoots: ['./types'],
    types: ['node'],
    paths: {
      'alfred/agent': ['./types/alfred-agent.d.ts'],
      zod: ['./types/zod/index.d.ts'],
      'undici-types': ['./types/undici-types/index.d.ts'],
    },
  },
  include: ['agents'],
};

/**
 * Writes what an editor and `tsc` need to check a pack: the types of `alfred/agent`, zod and Node in `types/`, and a
 * `tsconfig.json` unless there is one. Nothing has to be installed for it.
 *
 * @throws CliError where the types of Node are not installed: in an image, which has what runs and no more
 */
export async function writeTypes(folder: string): Promise<void> {
  const types = join(folder, 'types');
  await rm(types, { recursive: true, force: true });
  await mkdir(types, { recursive: true });
  await copyTypesOfZod(join(types, 'zod'));
  await copyTypes('@types/node', join(types, 'node'));
  await copyTypes('undici-types', join(types, 'undici-types'));
  await writeFile(join(types, 'alfred-agent.d.ts'), `${await readFile(typesFile, 'utf8')}${functions}`);
  await writeFile(join(types, '.gitignore'), '# `alfred agents types` writes this folder again.\n*\n');
  const config = join(folder, 'tsconfig.json');
  if (!existsSync(config)) await writeFile(config, `${JSON.stringify(tsconfig, null, 2)}\n`);
}

/** Copies the declarations of a package, without those for old compilers. */
async function copyTypes(name: string, to: string): Promise<void> {
  const from = packageFolder(name);
  const filter = (path: string) =>
    /\.d\.ts$|package\.json$/.test(path) || !/\.\w+$|\bts\d|LICENSE/.test(relative(from, path));
  await cp(from, to, { recursive: true, filter });
}

function packageFolder(name: string): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    throw new CliError(`The types of ${name} are not installed here. Run this command in a clone of Alfred.`);
  }
}

/** Copies the declarations that lead from zod's main file, and no others. */
async function copyTypesOfZod(to: string): Promise<void> {
  const root = packageFolder('zod');
  const waiting = [join(root, 'index.d.ts')];
  const seen = new Set(waiting);
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const target = join(to, relative(root, file));
    await mkdir(dirname(target), { recursive: true });
    await copyFile(file, target);
    for (const [, path = ''] of (await readFile(file, 'utf8')).matchAll(/(?:from|import) "(\.[^"]+)\.js"/g)) {
      const next = join(dirname(file), `${path}.d.ts`);
      if (!seen.has(next) && existsSync(next)) {
        seen.add(next);
        waiting.push(next);
      }
    }
  }
  await writeFile(join(to, 'package.json'), '{ "type": "module" }\n');
  await copyFile(join(root, 'LICENSE'), join(to, 'LICENSE'));
}
