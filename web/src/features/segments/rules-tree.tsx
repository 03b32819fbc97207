import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { tagsQuery } from '@/features/contacts/queries';
import { useOrg } from '@/features/tenancy/queries';
import explain from './explain.module.css';
import { childrenOf, type Field, isGroup, matchNames, matchOf, type RuleGroup, type RuleLeaf } from './model';
import { catalogQuery, segmentsQuery } from './queries';
import { valueWords } from './value-words';

/** The rules to be read, in the words of the catalogue. */
export function RulesTree({ rules }: { rules: RuleGroup }) {
  const { orgId } = useOrg();
  const catalog = useQuery(catalogQuery(orgId));
  const tags = useQuery(tagsQuery(orgId));
  const segments = useQuery(segmentsQuery(orgId));
  const names = new Map([
    ...(segments.data ?? []).map(({ id, name }) => [id, name] as const),
    ...(tags.data ?? []).map(({ id, name }) => [id, name] as const),
  ]);
  const fields = new Map((catalog.data ?? []).map((field) => [field.field, field]));
  if (childrenOf(rules).length === 0) return <Text>No rules: everybody belongs.</Text>;
  return <Branch group={rules} fields={fields} names={names} />;
}

interface BranchProps {
  group: RuleGroup;
  fields: ReadonlyMap<string, Field>;
  names: ReadonlyMap<string, string>;
}

function Branch({ group, fields, names }: BranchProps) {
  return (
    <>
      <Text fw={600} size="sm">
        {matchNames[matchOf(group)]}
      </Text>
      <ul className={explain.tree} data-inner>
        {childrenOf(group).map((child, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: read-only, and two rules may be the same
          <li key={index} className={explain.rule}>
            {isGroup(child) ? (
              <Branch group={child} fields={fields} names={names} />
            ) : (
              <Text style={{ overflowWrap: 'anywhere' }}>{leafWords(child, fields, names)}</Text>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function leafWords(leaf: RuleLeaf, fields: BranchProps['fields'], names: BranchProps['names']): string {
  const field = fields.get(leaf.field);
  const operator = field?.operators.find((each) => each.operator === leaf.operator);
  const known = new Map([
    ...names,
    ...(field?.options ?? []).map(({ value, label }) => [value, label] as const),
  ]);
  const value = leaf.value === undefined ? '' : ` ${valueWords(leaf.value, known)}`;
  return `${field?.label ?? leaf.field} ${operator?.label ?? leaf.operator.replaceAll('_', ' ')}${value}`;
}
