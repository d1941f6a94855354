import { TestEnvironment } from 'jest-environment-jsdom';

/** What Node has and jsdom lacks, or has in a way that Node's fetch refuses. */
const OF_NODE = [
  'fetch',
  'Request',
  'Response',
  'Headers',
  'ReadableStream',
  'TextDecoder',
  'TextEncoder',
  'AbortController',
  'AbortSignal',
] as const;

/** A page: jsdom has the document that Angular needs. */
export default class PageEnvironment extends TestEnvironment {
  override async setup(): Promise<void> {
    await super.setup();
    Object.assign(this.global, Object.fromEntries(OF_NODE.map((name) => [name, globalThis[name]])));
  }
}
