import { hasDocument, type Platform } from '../platform.ts';
import { sdkTransport } from '../transport/sdk.ts';
import { nodeEnvironment } from './environment.ts';

/** Node: variables, `.env`, and the SDK, which is loaded on the first request. */
export const nodePlatform: Platform = {
  environment: nodeEnvironment,
  transport: ({ baseURL, fetch }) =>
    sdkTransport({
      baseURL,
      ...(fetch === undefined ? undefined : { fetch }),
      // Everything explicit: the SDK reads variables of its own. Key, organization and project come with each request.
      apiKey: 'comes with each request',
      adminAPIKey: null,
      organization: null,
      project: null,
      webhookSecret: null,
      maxRetries: 0,
      logLevel: 'off',
      dangerouslyAllowBrowser: true,
    }),
  isBrowser: hasDocument,
  base: () => undefined,
};
