// Prints `N passed, N failed[, N skipped]` from vitest's JSON results. Plain JavaScript: it must also speak
// when nothing could be installed.
import { existsSync, readFileSync } from 'node:fs';

const count = { passed: 0, failed: 0, skipped: 0 };
for (const file of process.argv.slice(2)) {
  if (!existsSync(file)) {
    process.stdout.write(`no results in ${file}: its tests did not run\n`);
    continue;
  }
  for (const suite of JSON.parse(readFileSync(file, 'utf8')).testResults) {
    // A file that could not be loaded or whose hooks failed has no failed test, and is a failure all the same.
    const failedTests = suite.assertionResults.filter((test) => test.status === 'failed').length;
    if (suite.status === 'failed' && failedTests === 0) count.failed++;
    for (const test of suite.assertionResults) {
      if (test.status === 'passed') count.passed++;
      else if (test.status === 'failed') count.failed++;
      else count.skipped++;
    }
  }
}
const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
process.stdout.write(`${count.passed} passed, ${count.failed} failed${skipped}\n`);
