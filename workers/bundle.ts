import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';
import type { Config } from '../runtime/config.ts';
import type { Logger } from '../runtime/logger.ts';
import { sandboxPrelude } from './sandbox-prelude.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const workflowsPath = join(root, 'workflows/index.ts');
/** The folders that workflow code may come from; the import rules allow no others. */
const rooms = ['contract', 'agents', 'workflows'];

/**
 * Loads the workflow code as one file: the configured bundle, or one that is built from the sources and cached under
 * their hash. Building takes seconds; a cached bundle loads at once.
 */
export async function workflowBundle(
  config: Pick<Config, 'ALFRED_WORKFLOW_BUNDLE' | 'ALFRED_DATA_DIR'>,
  log: Logger,
): Promise<WorkflowBundle> {
  if (config.ALFRED_WORKFLOW_BUNDLE) return { code: await readFile(config.ALFRED_WORKFLOW_BUNDLE, 'utf8') };
  const folder = join(config.ALFRED_DATA_DIR, 'cache');
  const file = join(folder, `workflows-${await hashOfSources()}.js`);
  const cached = await readFile(file, 'utf8').catch(() => undefined);
  if (cached !== undefined) return { code: cached };
  const bundle = await buildWorkflowBundle(log);
  await mkdir(folder, { recursive: true });
  // Another process may write the same bundle at the same time; a rename replaces the whole file.
  await writeFile(`${file}.${process.pid}`, bundle.code);
  await rename(`${file}.${process.pid}`, file);
  return bundle;
}

/**
 * Builds the bundle from the sources. Its modules run once in each worker, not once in each workflow: workflow modules
 * keep no state of their own, and the SDK freezes what they export.
 */
export async function buildWorkflowBundle(log: Logger): Promise<WorkflowBundle> {
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    preloadModules: [workflowsPath],
    logger: new DefaultLogger('WARN', ({ message }) => log.warn(message)),
  });
  return { code: `${sandboxPrelude} ${code}` };
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const room of rooms) {
    const files = (await readdir(join(root, room), { recursive: true })).filter((name) => name.endsWith('.ts')).sort();
    for (const name of files) hash.update(`${room}/${name}\n`).update(await readFile(join(root, room, name)));
  }
  return hash
    .update(await readFile(fileURLToPath(import.meta.url)))
    .update(sandboxPrelude)
    .update(await readFile(join(root, 'package-lock.json')))
    .digest('hex')
    .slice(0, 16);
}

/** A short hash of a bundle, which workers write into histories as their build id. */
export const bundleId = ({ code }: { code: string }) => createHash('sha256').update(code).digest('hex').slice(0, 10);
