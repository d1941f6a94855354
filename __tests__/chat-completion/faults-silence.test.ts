import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { check } from '../support/faults-check.ts';
import { recoveries } from '../support/faults-retry.ts';
import {
  BEFORE_THE_BODY,
  OUT_OF_TIME,
  PATIENT_STREAMS,
  SILENT_AFTER_TEXT,
  SILENT_DOCUMENTS,
  SILENT_REFUSALS,
  SILENT_STREAMS,
  SLOW_STREAMS,
} from '../support/faults-silence.ts';
import { ALL, IN_ONE_PIECE, STREAMING } from '../support/faults-ways.ts';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());

describe('a server that says nothing', () => {
  it.each([...BEFORE_THE_BODY, ...SILENT_REFUSALS])('$name', (row) => check(server, row, ALL));
  it.each([...SILENT_STREAMS, ...SILENT_AFTER_TEXT])('$name', (row) => check(server, row, STREAMING));
  it.each(SILENT_DOCUMENTS)('$name', (row) => check(server, row, IN_ONE_PIECE));
});

describe('a server that says something, but no text', () => {
  it.each(SLOW_STREAMS)('$name', (row) => check(server, row, STREAMING));
});

describe('a server that takes its time is waited for', () => {
  it.each(PATIENT_STREAMS)('$name', (row) => check(server, row, STREAMING));
});

describe('silence, then a whole answer: its text is shown once', () => {
  it.each(recoveries(BEFORE_THE_BODY))('$name', (row) => check(server, row, ALL));
  it.each(recoveries([...SILENT_STREAMS, ...SLOW_STREAMS]))('$name', (row) => check(server, row, STREAMING));
  it.each(recoveries(SILENT_DOCUMENTS))('$name', (row) => check(server, row, IN_ONE_PIECE));
});

describe('the time of the call is over', () => {
  it.each(OUT_OF_TIME)('$name', (row) => check(server, row, ALL));
});
