import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { check } from '../support/faults-check.ts';
import { DEVIATIONS } from '../support/faults-deviations.ts';
import { DOCUMENTS } from '../support/faults-documents.ts';
import { EMBEDDED } from '../support/faults-embedded.ts';
import { ENDS } from '../support/faults-ends.ts';
import { FRAMING } from '../support/faults-framing.ts';
import { HTTP } from '../support/faults-http.ts';
import { BROKEN_BODIES, NO_RESPONSE, TOO_LARGE } from '../support/faults-transport.ts';
import { ALL, IN_ONE_PIECE, STREAMING, WHOLE } from '../support/faults-ways.ts';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());

describe('a stream that is whole is shown whole', () => {
  it.each([...FRAMING, ...DEVIATIONS])('$name', (row) => check(server, row, STREAMING));
});

describe('a stream completes only when the answer is whole', () => {
  it.each(ENDS)('$name', (row) => check(server, row, STREAMING));
});

describe('an error under status 200 is an error', () => {
  it.each(EMBEDDED)('$name', (row) => check(server, row, STREAMING));
});

describe('a body that breaks or is too large is an error', () => {
  it.each([...BROKEN_BODIES, ...TOO_LARGE])('$name', (row) => check(server, row, STREAMING));
});

describe('an answer in one piece is validated', () => {
  it.each(DOCUMENTS)('$name', (row) => check(server, row, row.error === undefined ? WHOLE : IN_ONE_PIECE));
});

describe('a refusal means the same whatever was asked for', () => {
  it.each([...HTTP, ...NO_RESPONSE])('$name', (row) => check(server, row, ALL));
});
