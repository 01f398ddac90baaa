import { Argument, type Command } from 'commander';
import { intrusionSamples } from '../../contract/rules/intrusion/samples.ts';
import { findSignals, intrusionRules, type IntrusionRule } from '../../contract/rules/intrusion/signals.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { formatCount } from '../terminal/format.ts';
import { table } from '../terminal/terminal.ts';

export function addIntrusion(program: Command, { terminal }: CommandContext) {
  const intrusion = program.command('intrusion').description('the rules that look for intrusions in the audit log');
  intrusion
    .command('list', { isDefault: true })
    .description('each rule, with a pattern that it finds')
    .option('--json', 'as JSON')
    .action(({ json }: { json?: boolean }) => {
      const rules = intrusionRules.map((rule) => ({ rule, finds: intrusionSamples[rule].description }));
      if (json) return terminal.printJson(rules);
      terminal.print(table([['RULE', 'FINDS, FOR EXAMPLE'], ...rules.map(({ rule, finds }) => [rule, finds])]));
    });
  intrusion
    .command('test')
    .description('replay the pattern of a rule through all rules, and show what they find; nothing is stored')
    .addArgument(new Argument('<rule>').choices(intrusionRules))
    .option('--json', 'as JSON')
    .action((rule: IntrusionRule, { json }: { json?: boolean }) => {
      const { description, entries, known } = intrusionSamples[rule];
      const signals = findSignals(entries, known);
      if (json) return terminal.printJson({ rule, description, entries: entries.length, signals });
      terminal.print(`${description}: ${formatCount(entries.length, 'entry', 'entries')}`);
      for (const { rule: found, tenant, subject, network, count } of signals)
        terminal.print(
          `${found}: tenant ${tenant}, subject ${subject || 'unknown'}, from ${network ?? 'several networks'}, ${count} times`,
        );
      if (!signals.some((signal) => signal.rule === rule)) throw new CliError(`${rule} did not fire.`);
    });
}
