import { CompletionError } from '../errors.ts';
import type { FinishReason } from '../events/event.ts';

/** Half an answer must not look whole: as in `stream$` a content filter's stop is an error, the token limit on demand. */
export function unfinished(
  reason: FinishReason | undefined,
  onLength: 'complete' | 'error' = 'complete',
): CompletionError | undefined {
  if (reason === 'content_filter') {
    return new CompletionError('The content filter stopped the answer (finish_reason "content_filter")', {
      kind: 'content-filter',
    });
  }
  if (reason !== 'length' || onLength !== 'error') return undefined;
  return new CompletionError('The answer was cut at the token limit (finish_reason "length")', {
    kind: 'limit',
    code: 'length',
  });
}
