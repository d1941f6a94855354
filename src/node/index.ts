export { sdkTransport, type OpenAIClientLike } from '../transport/sdk.ts';
