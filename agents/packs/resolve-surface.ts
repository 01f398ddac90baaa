import { registerHooks } from 'node:module';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const surface = new URL('./surface/index.ts', import.meta.url).href;
const folders = new Set<string>();
let isInstalled = false;

/**
 * Lets the files of a pack import `alfred/agent`, and `zod` as Alfred's own copy: a schema of another copy of zod is
 * not one for Alfred. Packages that the pack itself depends on get what they have installed.
 *
 * @param folder without symbolic links, as Node names modules by the files behind them
 */
export function resolveSurfaceFor(folder: string): void {
  folders.add(folder);
  if (isInstalled) return;
  isInstalled = true;
  registerHooks({
    resolve(specifier, context, next) {
      if (!isOfPack(context.parentURL)) return next(specifier, context);
      if (specifier === 'alfred/agent') return { url: surface, shortCircuit: true };
      if (specifier === 'zod' || specifier.startsWith('zod/'))
        return { url: import.meta.resolve(specifier), shortCircuit: true };
      return next(specifier, context);
    },
  });
}

function isOfPack(parentUrl: string | undefined): boolean {
  if (!parentUrl?.startsWith('file:')) return false;
  const file = fileURLToPath(parentUrl);
  return [...folders].some((folder) => {
    const path = relative(folder, file).split(sep);
    return path[0] !== '..' && !path.includes('node_modules');
  });
}
