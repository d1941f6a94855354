export { chatCompletionInterceptor } from './terminal.ts';
export { withHttpClientTransport, type HttpClientTransportOptions } from './transport.ts';
