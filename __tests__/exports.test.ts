import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeOnly from '../src/node/index.ts';
import * as operators from '../src/operators/index.ts';
import * as nodeSide from '../src/index.node.ts';
import * as nodePromises from '../src/promises.node.ts';
import * as promises from '../src/promises.ts';
import * as testing from '../src/testing/index.ts';
import * as relay from '../src/relay/index.ts';
import * as nodeRelay from '../src/relay/index.node.ts';
import * as universal from '../src/index.ts';

const namesOf = (module: object): readonly string[] => Object.keys(module).sort();

/** What exists at runtime. The names and shapes of types are in etc/*.api.md. */
const EXPORTS = {
  '.': [
    'CompletionError',
    'OpenAIChatCompletion',
    'fetchTransport',
    'isCompletionError',
    'runTools$',
    'toAsyncIterable',
    'tool',
  ],
  './operators': [
    'abortOn',
    'accumulate',
    'backoff',
    'collect',
    'createLimiter',
    'fallbackTo',
    'hedge',
    'jsonElements',
    'measure',
    'parseJson',
    'partialJson',
    'reasoning',
    'refusal',
    'retryCompletion',
    'segment',
    'shareCompletion',
    'smooth',
    'stopWhen',
    'text',
    'timeoutCompletion',
    'toolCalls',
    'usage',
  ],
  './promises': ['OpenAIChatCompletion', 'PromiseChatCompletion'],
  './relay': ['createRelay'],
  './node': ['sdkTransport'],
  './testing': ['answer', 'connectionFailure', 'fakeCompletion', 'fakeTransport', 'httpError', 'silence'],
};

/** Angular cannot be loaded here: see angular/exports.test.ts. */
const OF_ANGULAR = ['./angular', './angular/http', './angular/testing'];

describe('runtime exports', () => {
  it.each([
    ['. for Node', nodeSide, EXPORTS['.']],
    ['. elsewhere', universal, EXPORTS['.']],
    ['./promises for Node', nodePromises, EXPORTS['./promises']],
    ['./promises elsewhere', promises, EXPORTS['./promises']],
    ['./relay for Node', nodeRelay, EXPORTS['./relay']],
    ['./relay elsewhere', relay, EXPORTS['./relay']],
    ['./operators', operators, EXPORTS['./operators']],
    ['./node', nodeOnly, EXPORTS['./node']],
    ['./testing', testing, EXPORTS['./testing']],
  ])('%s', (_, module, names) => {
    expect(namesOf(module)).toEqual(names);
  });

  it('are the same on both sides, but for the two classes that know their platform', () => {
    const { OpenAIChatCompletion: NodeClient, ...nodeRest } = nodeSide;
    const { OpenAIChatCompletion: UniversalClient, ...universalRest } = universal;
    expect(nodeRest).toEqual(universalRest);
    expect(NodeClient.prototype).toBeInstanceOf(UniversalClient);
    expect(nodePromises.PromiseChatCompletion.prototype).toBeInstanceOf(promises.PromiseChatCompletion);
  });

  it.each([promises, nodePromises])('the facade has two names', (module) => {
    expect(module.OpenAIChatCompletion).toBe(module.PromiseChatCompletion);
  });

  it('every subpath of package.json has its list here', () => {
    const manifest = readFileSync(join(__dirname, '../package.json'), 'utf8');
    const { exports } = JSON.parse(manifest) as { exports: object };
    expect(Object.keys(exports)).toEqual([...Object.keys(EXPORTS), ...OF_ANGULAR, './package.json']);
  });
});
