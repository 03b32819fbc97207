import { Alert, Button, Group, Select, Stack, Table, Text, Title } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Problem } from '@/components/problem';
import { call } from '@/features/contacts/api';
import { IMPORT_DRAFTS } from '@/features/contacts/local';
import { customFieldsQuery } from '@/features/contacts/queries';
import { useOrg } from '@/features/tenancy/queries';
import { useDebounced } from '@/lib/debounce';
import { readStored, store } from '@/lib/storage';
import { count, plural } from '@/lib/time';
import type { Inspection, Job, PreviewRow } from '../model';
import { cancelJob, jobsKey } from '../queries';
import classes from './import.module.css';
import { ImportOptionsForm } from './import-options';
import { ImportPreview } from './import-preview';
import {
  type Chosen,
  fieldChoices,
  type ImportOptions,
  mappingOf,
  mappingProblems,
  suggested,
  usualOptions,
} from './mapping';

interface Draft {
  chosen: Chosen;
  options: ImportOptions;
}

const SKIP = '-';

export function ImportMapping({ job, inspection: first }: { job: Job; inspection: Inspection }) {
  const org = useOrg();
  const queryClient = useQueryClient();
  const customFields = useQuery(customFieldsQuery(org.orgId));
  const groups = useMemo(() => fieldChoices(customFields.data ?? []), [customFields.data]);
  const draftKey = `${IMPORT_DRAFTS}${job.id}`;
  const [kept, setKept] = useState(() => readStored(draftKey) as Draft | undefined);
  // Suggestions that name an own field wait until those fields are known; what somebody chose is never overwritten.
  const draft: Draft = kept ?? {
    chosen: suggested(first, groups),
    options: usualOptions(first, org.organization.country),
  };
  const change = (next: Draft) => {
    setKept(next);
    store(draftKey, next);
  };
  // Read another way, the same file has other columns.
  const { encoding, delimiter, has_header } = draft.options;
  const isAsFound =
    encoding === first.encoding && delimiter === first.delimiter && has_header === first.has_header;
  const again = useQuery({
    queryKey: ['org', org.orgId, 'import-inspection', job.id, { encoding, delimiter, has_header }],
    enabled: !isAsFound,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
    queryFn: () =>
      call<Inspection>('inspect_import', {
        p_job_id: job.id,
        p_options: { encoding, delimiter, has_header },
      }),
  });
  const inspection = (isAsFound ? undefined : again.data) ?? first;
  const indexes = new Set(inspection.columns.map((column) => column.index));
  const chosen = Object.fromEntries(
    Object.entries(draft.chosen).filter(([index]) => indexes.has(Number(index))),
  );
  const { whole, columns } = mappingProblems(chosen);
  const isReady = whole === null && Object.keys(columns).length === 0;
  const asked = useDebounced(JSON.stringify({ mapping: mappingOf(chosen), options: draft.options }), 300);
  const refresh = () => queryClient.invalidateQueries({ queryKey: jobsKey(org.orgId) });
  const start = useMutation({
    mutationFn: () =>
      call<Job>('start_import', {
        p_job_id: job.id,
        p_mapping: mappingOf(chosen),
        p_options: draft.options,
      }),
    onSuccess: (started) => {
      store(draftKey, undefined);
      queryClient.setQueryData([...jobsKey(org.orgId), job.id], started);
    },
  });
  const preview = useQuery({
    // Not among the jobs: what they report does not change it, and after the start it can no longer be asked for.
    queryKey: ['org', org.orgId, 'import-preview', job.id, asked],
    enabled: isReady && !start.isPending && !start.isSuccess,
    placeholderData: keepPreviousData,
    queryFn: () => {
      const { mapping, options } = JSON.parse(asked) as { mapping: unknown; options: unknown };
      return call<PreviewRow[]>('preview_import', {
        p_job_id: job.id,
        p_mapping: mapping,
        p_options: options,
      });
    },
  });
  const cancel = useMutation({ mutationFn: () => cancelJob(job.id), onSuccess: refresh });

  const rows = inspection.rows_estimate;
  return (
    <Stack gap="lg">
      <div>
        <Title order={2} fz="xl" style={{ overflowWrap: 'anywhere' }}>
          {typeof job.input?.file_name === 'string' ? job.input.file_name : 'Import contacts'}
        </Title>
        <Text c="dimmed">
          {[
            rows === null ? undefined : `about ${plural(rows, 'row')}`,
            plural(inspection.columns.length, 'column'),
            inspection.sheet ? `sheet “${inspection.sheet}”` : undefined,
          ]
            .filter(Boolean)
            .join(' · ')}
        </Text>
      </div>
      <section className={classes.card} aria-labelledby="columns-title">
        <Title order={3} id="columns-title" fz="md">
          What does each column hold?
        </Title>
        <Text c="dimmed" size="sm" mb="sm">
          We guessed. Please check.
        </Text>
        <Table.ScrollContainer minWidth={280} type="native">
          <Table verticalSpacing={6} className={classes.mapping}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>In your file</Table.Th>
                <Table.Th>Becomes</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {inspection.columns.map((column) => {
                const name = column.name || `Column ${count(column.index + 1)}`;
                return (
                  <Table.Tr key={column.index}>
                    <Table.Td>
                      <Text fw={600} className={classes.clip} title={name} dir="auto">
                        {name}
                      </Text>
                      <Text size="sm" c="dimmed" className={classes.clip} dir="auto">
                        {column.sample.filter(Boolean).slice(0, 3).join(', ') || 'empty'}
                      </Text>
                    </Table.Td>
                    <Table.Td>
                      <Select
                        aria-label={`${name} becomes`}
                        data={[{ value: SKIP, label: 'Leave out' }, ...groups]}
                        value={draft.chosen[column.index] ?? SKIP}
                        onChange={(value) =>
                          change({
                            ...draft,
                            chosen: {
                              ...draft.chosen,
                              [column.index]: value === SKIP ? null : value,
                            },
                          })
                        }
                        error={columns[column.index]}
                        allowDeselect={false}
                        searchable
                        maxDropdownHeight={320}
                      />
                    </Table.Td>
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
        {whole && (
          <Alert color="yellow" mt="sm" icon={<IconAlertCircle aria-hidden />}>
            {whole}
          </Alert>
        )}
      </section>
      <ImportOptionsForm
        value={draft.options}
        isSheet={inspection.sheet !== null}
        onChange={(options) => change({ ...draft, options })}
      />
      {isReady && (
        <ImportPreview
          rows={preview.data}
          error={preview.error}
          mapping={mappingOf(chosen)}
          groups={groups}
          stale={preview.isPlaceholderData || preview.isFetching}
          onRetry={() => void preview.refetch()}
        />
      )}
      <Problem error={start.error ?? cancel.error ?? (isAsFound ? undefined : again.error)} />
      <Group justify="space-between">
        <Button variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
          Cancel import
        </Button>
        <Button size="md" loading={start.isPending} disabled={!isReady} onClick={() => start.mutate()}>
          {rows === null ? 'Start the import' : `Import about ${plural(rows, 'row')}`}
        </Button>
      </Group>
    </Stack>
  );
}
