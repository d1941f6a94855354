import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'dotenv';
import { configurationError, describe } from '../errors.ts';
import type { Environment } from '../platform.ts';

/** No file of that name: nothing to read, which is how most programs run. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);

/**
 * The process environment over the `.env` file. Silent, and neither is changed: dotenv's `config()` would write the file's
 * values into `process.env` and a line to stderr.
 *
 * @param envFile - relative to the working directory; `false`: no file; left out: `.env` if it is there
 */
export function nodeEnvironment(
  envFile: string | false | undefined,
  processEnvironment: Environment = process.env,
): Environment {
  const present = Object.entries(processEnvironment).filter(([, value]) => value !== undefined && value.trim() !== '');
  return { ...(envFile === false ? undefined : fileEnvironment(envFile)), ...Object.fromEntries(present) };
}

function fileEnvironment(envFile: string | undefined): Environment {
  try {
    return parse(readFileSync(resolve(envFile ?? '.env')));
  } catch (error) {
    const { code } = describe(error);
    if (envFile === undefined && code !== undefined && ABSENT.has(code)) return {};
    throw configurationError(`envFile ${envFile ?? '.env'} cannot be read (${code ?? 'unknown error'})`, 'envFile');
  }
}
