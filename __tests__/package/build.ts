import { execFileSync } from 'node:child_process';

/** Builds the package once for all suites of the project. */
export default function build(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 'ignore', 'inherit'] });
}
