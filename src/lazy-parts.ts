import type { ObservableInput } from 'rxjs';
import type * as JsonMethod from './json-method.ts';
import type * as RunTools from './tools/run-tools.ts';

/** What the client loads with the first call that needs it: a parser, a validator and a loop are as big as the rest of it. */
export interface LazyParts {
  json(): ObservableInput<typeof JsonMethod>;
  tools(): ObservableInput<typeof RunTools>;
}

export const IMPORTED: LazyParts = {
  json: () => import('./json-method.ts'),
  tools: () => import('./tools/run-tools.ts'),
};
