import { walk, type Steps } from '../../src/steps.ts';

/** Steps as the promise of what they come to. */
export function inSteps<T>(steps: Steps<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    walk(steps, resolve, reject);
  });
}
