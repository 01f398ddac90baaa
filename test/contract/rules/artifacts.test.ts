import { expect, test } from '@jest/globals';
import { artifactName } from '../../../contract/rules/artifact-name.ts';
import { artifactMediaType, checkedArtifact, fitArtifacts } from '../../../contract/rules/artifacts.ts';
import { attachment } from '../../../contract/rules/attachment.ts';

test.each([
  ['report.csv', 'report.csv'],
  ['../../etc/passwd', '_.._etc_passwd'],
  ['C:\\temp\\x.txt', 'C_temp_x.txt'],
  ['.bashrc', 'bashrc'],
  ['a\u0000b\r\nc', 'a_b_c'],
  ['invoice\u202Efdp.exe', 'invoice_fdp.exe'],
  ['CON', '_CON'],
  ['nul.txt', '_nul.txt'],
  ['con .txt', '_con .txt'],
  ['CONIN$', '_CONIN$'],
  ['conout$.log', '_conout$.log'],
  ['COM¹', '_COM¹'],
  ['LPT².csv', '_LPT².csv'],
  ['console.txt', 'console.txt'],
  [' . .profile', 'profile'],
  [`${'x'.repeat(199)} and more`, 'x'.repeat(199)],
  ['', 'file'],
  ['...', 'file'],
  ['  spaced .', 'spaced'],
  ['Übersicht für Köln.pdf', 'Übersicht für Köln.pdf'],
  ['\ud800.txt', '\ufffd.txt'],
])('a file name %j becomes one that every system takes', (given, expected) => {
  expect(artifactName(given)).toBe(expected);
  expect(artifactName(expected)).toBe(expected);
});

test('a long name is cut before its extension, between characters', () => {
  const name = artifactName(`${'😀'.repeat(300)}.csv`);
  expect(name).toBe(`${'😀'.repeat(49)}.csv`);
  const device = artifactName(`con.${'x'.repeat(300)}.csv`);
  expect(device).toBe(`_con.${'x'.repeat(191)}.csv`);
  expect(artifactName(device)).toBe(device);
});

test('a name of any length takes little time', () => {
  const startedAt = performance.now();
  for (const filler of [' ', '.', '. ', '_', '\u0000', '😀', '\ud800'])
    expect(Buffer.byteLength(artifactName(`a${filler.repeat(1_000_000)}x.csv`))).toBeLessThanOrEqual(200);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test('a page or script is handed out as bytes', () => {
  expect(artifactMediaType('text/csv; charset=utf-8')).toBe('text/csv');
  expect(artifactMediaType('IMAGE/PNG')).toBe('image/png');
  for (const other of ['text/html', 'application/javascript', 'text/html\r\nx: y', '', 'image/svg+xml2'])
    expect(artifactMediaType(other)).toBe('application/octet-stream');
});

test('the names of a download cannot break out of its header', () => {
  expect(attachment('a"b\\c%.csv')).toBe(`attachment; filename="a_b_c_.csv"; filename*=UTF-8''a%22b%5Cc%25.csv`);
  expect(attachment('Köln\r\nX: y.csv')).toBe(
    `attachment; filename="K_ln__X: y.csv"; filename*=UTF-8''K%C3%B6ln%0D%0AX%3A%20y.csv`,
  );
  expect(attachment("it's (1)*.csv")).toContain(`filename*=UTF-8''it%27s%20%281%29%2A.csv`);
});

test('a file that does not fit leaves room for a smaller one behind it', () => {
  const made = (name: string, size: number) =>
    checkedArtifact({ name, mediaType: 'text/plain', bytes: new Uint8Array(size) });
  const { kept, refused } = fitArtifacts([made('big', 5_000_000), made('small', 1_000)], {
    files: 1,
    bytes: 97_000_000,
  });
  expect(kept.map(({ name }) => name)).toEqual(['small']);
  expect(refused).toEqual(['big has 5.0 MB: the files of a task may have 100.0 MB together.']);
  expect(fitArtifacts([], { files: 0, bytes: 0 })).toEqual({ kept: [], refused: [] });
});
