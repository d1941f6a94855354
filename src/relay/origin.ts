/** Which pages may use the relay. Whoever is no page says nothing of an origin, and is for `authorize` to judge. */
import { configurationError } from '../errors.ts';
import { Refusal } from './refusal.ts';

/** Origins as browsers write them. */
export function validOrigins(origins: readonly string[] | undefined): ReadonlySet<string> {
  if (origins === undefined) return new Set();
  if (!Array.isArray(origins)) throw configurationError('origins must be a list of origins', 'origins');
  for (const origin of origins as readonly unknown[]) {
    if (!isOrigin(origin)) {
      throw configurationError(
        'origins must be a list of origins such as https://app.example.com, without a path; never * or null',
        'origins',
      );
    }
  }
  return new Set(origins);
}

/** Apps have schemes of their own (`capacitor://localhost`), of whose addresses URL knows no origin. */
function isOrigin(origin: unknown): boolean {
  if (typeof origin !== 'string' || !/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#*@\\]+$/.test(origin)) return false;
  return !/^https?:/.test(origin) || (URL.canParse(origin) && new URL(origin).origin === origin);
}

/**
 * Throws a 403 for pages of other origins. Returns the headers that let a listed page read the answer.
 *
 * Browsers say in `Sec-Fetch-Site` where a page is from, and no page can change it. Those that are too old for it are held to the
 * host alone: behind a proxy that ends TLS the scheme is not known here.
 */
export function checkOrigin(request: Request, origins: ReadonlySet<string>): Readonly<Record<string, string>> {
  const origin = request.headers.get('origin');
  const site = request.headers.get('sec-fetch-site')?.trim().toLowerCase();
  if (origin !== null && origins.has(origin)) {
    return {
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'retry-after, retry-after-ms, x-should-retry',
    };
  }
  const allowed = site === undefined ? origin === null || isHostOf(origin, request) : SAME.has(site);
  if (allowed) return {};
  throw new Refusal(403, 'This origin may not use the relay', { code: 'origin_not_allowed' });
}

/** `none`: the user's own doing, an address typed in. */
const SAME = new Set(['same-origin', 'none']);

function isHostOf(origin: string, request: Request): boolean {
  if (!URL.canParse(origin)) return false;
  const { host } = new URL(origin);
  return host !== '' && host === (request.headers.get('host') ?? new URL(request.url).host);
}

/** The answer to a browser that asks before it sends; `undefined` if it is no such question. */
export function preflightHeaders(request: Request): Readonly<Record<string, string>> | undefined {
  if (request.method !== 'OPTIONS' || request.headers.get('access-control-request-method') === null) return undefined;
  const asked = request.headers.get('access-control-request-headers') ?? '';
  // Any name will do: no header of the client's has an effect on the call, and which origin asks has been checked.
  const names = asked.split(',').map((name) => name.trim().toLowerCase());
  return {
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': names.filter((name) => /^[\w-]{1,64}$/.test(name)).join(', '),
    'access-control-max-age': '600',
  };
}
