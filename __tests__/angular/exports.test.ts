import * as http from '../../src/angular/http/index.ts';
import * as angular from '../../src/angular/index.ts';
import * as testing from '../../src/angular/testing/index.ts';

it.each([
  [
    './angular',
    angular,
    ['CHAT_COMPLETION', 'chatResource', 'injectChat', 'injectChatCompletion', 'provideChatCompletion'],
  ],
  ['./angular/http', http, ['chatCompletionInterceptor', 'withHttpClientTransport']],
  ['./angular/testing', testing, ['provideFakeChatCompletion']],
])('%s', (_, module, names) => {
  expect(Object.keys(module).sort()).toEqual(names);
});
