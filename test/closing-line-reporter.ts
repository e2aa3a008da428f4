import type { Reporter, TestCase, TestModule } from "vitest/node";

/**
 * Names each failure when it happens, so that a run that is cut off has told it, and ends a run with one plain line that
 * any CI can read: `N passed, N failed, N skipped`.
 */
export default class ClosingLineReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result();
    if (state !== "failed") return;
    const [message = ""] = errors[0]?.message.split("\n") ?? [];
    process.stdout.write(`\nFAILED ${test.module.relativeModuleId} > ${test.fullName}: ${message}\n`);
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed" || state === "failed" || state === "skipped") counts[state] += 1;
      }
      if (module.errors().length > 0) counts.failed += 1;
    }
    counts.failed += unhandled.length;
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  }
}
