/** Prints "passed failed" of jest's JSON report. A suite that could not run counts as one failure; so does a missing report. */
import { readFileSync } from 'node:fs';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
}

function read(path: string): Report {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 1 };
  }
}

const report = read(process.argv[2] ?? '');
console.log(`${String(report.numPassedTests)} ${String(report.numFailedTests + report.numRuntimeErrorTestSuites)}`);
