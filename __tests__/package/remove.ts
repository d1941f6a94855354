import { rmSync } from 'node:fs';

export default function remove(): void {
  const consumer = process.env['RXJS_OPENAI_CONSUMER'];
  if (consumer !== undefined) rmSync(consumer, { recursive: true, force: true });
}
