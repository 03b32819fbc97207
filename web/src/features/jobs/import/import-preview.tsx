import { Group, Skeleton, Table, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import { Problem } from '@/components/problem';
import { describeError } from '@/lib/errors';
import { count, plural } from '@/lib/time';
import type { PreviewRow } from '../model';
import classes from './import.module.css';
import { type FieldGroup, type FieldProblem, fieldLabel } from './mapping';

interface ImportPreviewProps {
  rows: PreviewRow[] | undefined;
  error: unknown;
  mapping: { index: number; field: string }[];
  groups: FieldGroup[];
  stale: boolean;
  onRetry: () => void;
}

/** Values come as `{"phone": …, "address": {"city": …}, "custom_fields": {…}}` or flat under the mapped name. */
export function valueAt(values: Record<string, unknown>, field: string): string {
  const direct = values[field];
  const [outer = '', inner = ''] = field.split('.');
  const nested = values[outer === 'custom' ? 'custom_fields' : outer] as Record<string, unknown> | undefined;
  const value = direct ?? (inner && typeof nested === 'object' ? nested?.[inner] : undefined);
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.join(', ');
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  return String(value);
}

export function ImportPreview({ rows, error, mapping, groups, stale, onRetry }: ImportPreviewProps) {
  const fields = [...new Set(mapping.map(({ field }) => field))];
  // What the database says of the mapping as a whole.
  const refused = error ? ((describeError(error).details.problems as FieldProblem[] | undefined) ?? []) : [];
  const bad = rows?.filter((row) => row.problems.length > 0).length ?? 0;
  return (
    <section className={classes.card} aria-labelledby="preview-title">
      <Title order={3} id="preview-title" fz="md">
        The first rows, as they will be
      </Title>
      <Text c="dimmed" size="sm" mb="sm" role="status">
        {rows && (bad > 0 ? `${plural(bad, 'row')} with a problem` : 'No problems in these')}
      </Text>
      <Problem error={error} onRetry={onRetry} />
      {refused.length > 0 && (
        <ul className={classes.others}>
          {refused.map((each) => (
            <li key={`${each.field} ${each.message}`}>{each.message}</li>
          ))}
        </ul>
      )}
      {!rows && !error && <Skeleton height={180} role="status" aria-label="Loading" />}
      {rows && (
        <Table.ScrollContainer
          minWidth={Math.max(320, fields.length * 130)}
          type="native"
          // What scrolls must be reachable by keyboard.
          tabIndex={0}
          aria-labelledby="preview-title"
          role="region"
        >
          <Table verticalSpacing={6} className={classes.previewTable} data-stale={stale || undefined}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th w={70}>Row</Table.Th>
                {fields.map((field) => (
                  <Table.Th key={field}>{fieldLabel(groups, field)}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map((row) => (
                <Table.Tr key={row.line} data-bad={row.problems.length > 0 || undefined}>
                  <Table.Td>
                    <Group gap={4} wrap="nowrap">
                      {row.problems.length > 0 ? (
                        <IconAlertTriangle size={16} aria-label="Problem" className={classes.warn} />
                      ) : (
                        <IconCheck size={16} aria-label="Fine" className={classes.fine} />
                      )}
                      {count(row.line)}
                    </Group>
                  </Table.Td>
                  {fields.map((field) => {
                    const problem = row.problems.find((each) => each.field === field);
                    return (
                      <Table.Td key={field}>
                        <Text size="sm" className={classes.clip} dir="auto">
                          {valueAt(row.values, field)}
                        </Text>
                        {problem && (
                          <Text size="xs" c="red">
                            {problem.message}
                          </Text>
                        )}
                      </Table.Td>
                    );
                  })}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {rows?.some((row) => row.problems.some((each) => !each.field || !fields.includes(each.field))) && (
        <ul className={classes.others}>
          {rows.flatMap((row) =>
            row.problems
              .filter((each) => !each.field || !fields.includes(each.field))
              .map((each) => (
                <li key={`${row.line} ${each.message}`}>
                  Row {count(row.line)}: {each.message}
                </li>
              )),
          )}
        </ul>
      )}
      {bad > 0 && (
        <Text size="sm" mt="sm">
          Rows with a problem are left out. At the end you get a file with them and the reasons.
        </Text>
      )}
    </section>
  );
}
