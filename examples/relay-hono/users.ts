import { createLimiter, type Limiter } from 'rxjs-openai/operators';

/** Who may use the relay. In earnest these come from a session or a signed token. */
const USERS: ReadonlyMap<string, string> = new Map([
  ['demo-ada', 'ada'],
  ['demo-grace', 'grace'],
]);

/** What OpenAI's clients send as their key is here the token of a user. */
export function userOf(request: Request): string | undefined {
  const token = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
  return token === undefined ? undefined : USERS.get(token);
}

/** One for each user: who asks too often is told when to come back, and does not wait. */
export function limiters(): (user: string) => Limiter | undefined {
  const byUser = new Map(
    [...USERS.values()].map((user) => [user, createLimiter({ concurrency: 4, requestsPerMinute: 20, maxQueued: 0 })]),
  );
  return (user) => byUser.get(user);
}
