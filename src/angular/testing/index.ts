export { provideFakeChatCompletion } from './provide-fake.ts';
