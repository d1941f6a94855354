import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import chromium, { inflate } from '@sparticuz/chromium';
import { chromium as playwright, type Browser } from 'playwright-core';

/** As root, in a container, and without a word to anybody's servers. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--font-render-hinting=none',
];

/**
 * Starts Chromium with the libraries that its package brings along, and with its font where there is none: a machine without a
 * desktop has neither. By itself the package unpacks libraries on AWS alone.
 */
export async function launch(): Promise<Browser> {
  const executablePath = await chromium.executablePath();
  const packed = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '../bin');
  const libraries = await inflate(join(packed, 'al2023.tar.br'));
  const fonts = await inflate(join(packed, 'fonts.tar.br'));
  const env = {
    ...process.env,
    LD_LIBRARY_PATH: join(libraries, 'lib'),
    ...(existsSync('/etc/fonts/fonts.conf') ? {} : { FONTCONFIG_PATH: fonts }),
  };
  return playwright.launch({ executablePath, args: FLAGS, env });
}
