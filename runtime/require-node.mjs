// Plain JavaScript for any Node from 20 on, which cannot read the TypeScript of the roles.

/**
 * @param {string} version of Node, like `v20.20.2`
 * @param {string} entry the file that was started
 * @returns {string | undefined} the line that says that this Node is too old
 */
export const tooOld = (version, entry) =>
  Number(version.slice(1).split('.')[0]) >= 24
    ? undefined
    : `${entry} needs Node 24 or newer, this is ${version}. The clone has one: node_modules/.bin/node ${entry}`;

/** Ends the process with one line and exit code 2 when this Node cannot run the roles. */
export function requireNode(/** @type {string} */ entry) {
  const fault = tooOld(process.version, entry);
  if (fault === undefined) return;
  process.stderr.write(`${fault}\n`);
  process.exit(2);
}
