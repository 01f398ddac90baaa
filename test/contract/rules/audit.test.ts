import { expect, test } from '@jest/globals';
import { auditOf } from '../../../contract/rules/audit-actions.ts';
import { clientOf } from '../../../contract/rules/client-name.ts';
import { networkOf } from '../../../contract/rules/network.ts';

test.each([
  ['198.51.100.7', '198.51.100.0/24'],
  ['::ffff:198.51.100.7', '198.51.100.0/24'],
  ['2001:db8:7:1::9', '2001:db8:7::/48'],
  ['2001:0DB8:0007::9', '2001:db8:7::/48'],
  ['::1', '0:0:0::/48'],
  ['fe80::1%eth0', 'fe80:0:0::/48'],
])('the network of %s is %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test.each([
  ['curl/8.5.0', 'curl'],
  ['node', 'node'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0', 'Firefox on Linux'],
  ['Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0', 'Edg on Windows'],
  ['<script>', undefined],
  [undefined, undefined],
])('the program of %s is %s', (header, client) => {
  expect(clientOf(header)).toBe(client);
});

test.each([
  ['createTask', 201, true, { action: 'task.start', outcome: 'ok', waits: true }],
  ['readDocumentText', 200, true, { action: 'document.read', outcome: 'ok', waits: false }],
  ['getTask', 200, true, undefined],
  ['getTask', 404, true, { action: 'getTask', outcome: 'refused' }],
  ['getTask', 404, false, undefined],
  ['createTask', 401, false, { action: 'sign_in', outcome: 'refused' }],
  ['createTask', 403, false, { action: 'request', outcome: 'refused' }],
  ['createTask', 422, true, undefined],
  ['createTask', 503, true, { action: 'task.start', outcome: 'failed', waits: false }],
  [undefined, 404, true, { action: 'unknown_address', outcome: 'refused' }],
])('%s answered with %i, signed in: %s', (operationId, status, signedIn, found) => {
  if (found) expect(auditOf({ operationId, status, signedIn })).toMatchObject(found);
  else expect(auditOf({ operationId, status, signedIn })).toBeUndefined();
});
