import type { Reporter, TestModule } from 'vitest/node';

/** Lists at the end what was skipped and why, once for both versions of the client. */
export class DifferencesReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const differences = new Map<string, string>();
    for (const module of modules) {
      for (const skipped of module.children.allTests('skipped')) {
        const result = skipped.result();
        const note = result.state === 'skipped' ? result.note : undefined;
        differences.set(`${module.relativeModuleId}: ${skipped.name}`, note ?? 'NO REASON GIVEN');
      }
    }
    if (differences.size === 0) return;
    const lines = [...differences].map(([name, reason]) => `  ${name}\n    ${reason}\n`);
    process.stdout.write(
      `\nNot as on the real service, and so not tested (${differences.size}):\n${lines.join('')}`,
    );
  }
}
