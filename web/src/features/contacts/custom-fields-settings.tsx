import {
  ActionIcon,
  Badge,
  Button,
  Group,
  Modal,
  Select,
  Skeleton,
  Stack,
  TagsInput,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { modals } from '@mantine/modals';
import { notifications } from '@mantine/notifications';
import { IconArchive, IconArrowDown, IconArrowUp, IconEdit, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { LoadProblem, Problem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import settings from '@/features/tenancy/settings.module.css';
import { wordsFor } from '@/lib/errors';
import { call, type FunctionName } from './api';
import {
  type CustomField,
  type FieldType,
  fieldTypeNames,
  fieldTypes,
  hasOptions,
  moves,
} from './custom-fields';
import { customFieldsQuery } from './queries';

const MOST = 100;

export function CustomFieldsSettings() {
  const org = useOrg();
  const queryClient = useQueryClient();
  const fields = useQuery(customFieldsQuery(org.orgId));
  const [editing, setEditing] = useState<CustomField | 'new'>();
  const manage = org.can('settings.manage');
  const key = customFieldsQuery(org.orgId).queryKey;
  const refresh = () => queryClient.invalidateQueries({ queryKey: key });
  const change = useMutation({
    mutationFn: (calls: [rpc: FunctionName, parameters: Record<string, unknown>][]) =>
      Promise.all(calls.map(([rpc, parameters]) => call(rpc, parameters))),
    onError: (error) => notifications.show({ color: 'red', message: wordsFor(error) }),
    onSettled: refresh,
  });
  if (fields.isError && !fields.data)
    return (
      <LoadProblem error={fields.error} what="the custom fields" onRetry={() => void fields.refetch()} />
    );
  if (!fields.data) return <Skeleton height={240} radius="md" role="status" aria-label="Loading" />;
  const used = fields.data.filter((field) => !field.archived_at);
  const archived = fields.data.filter((field) => field.archived_at);

  const move = (from: number, by: -1 | 1) => {
    const changed = moves(used, from, by);
    // Shown in its new place at once; the answer of the database settles it.
    queryClient.setQueryData<CustomField[]>(key, (old) =>
      old
        ?.map((field) => changed.find((each) => each.id === field.id) ?? field)
        .sort((a, b) => a.position - b.position || a.label.localeCompare(b.label)),
    );
    change.mutate(
      changed.map((field) => [
        'update_custom_field',
        { p_id: field.id, p_label: field.label, p_options: field.options, p_position: field.position },
      ]),
    );
  };
  const archive = (field: CustomField) =>
    modals.openConfirmModal({
      title: `Archive “${field.label}”?`,
      children:
        'What is filled in stays and can still be seen. Forms, imports and new rules no longer offer it. You can bring it back at any time.',
      labels: { confirm: 'Archive', cancel: 'Cancel' },
      onConfirm: () => change.mutate([['archive_custom_field', { p_id: field.id }]]),
    });
  return (
    <Stack>
      <Group justify="space-between">
        <Text c="dimmed" role="status">
          {used.length} of {MOST} fields
        </Text>
        {manage && (
          <Button
            leftSection={<IconPlus size={18} />}
            disabled={used.length >= MOST}
            onClick={() => setEditing('new')}
          >
            Add field
          </Button>
        )}
      </Group>
      {used.length === 0 && (
        <Text c="dimmed">
          Keep what matters to your business about each contact: a membership number, a plan, a renewal date.
        </Text>
      )}
      <ul className={settings.members} aria-label="Custom fields">
        {used.map((field, index) => (
          <li key={field.id} className={settings.member}>
            <div className={settings.memberName}>
              <Text fw={600} truncate title={field.label} dir="auto">
                {field.label}
              </Text>
              <Text size="sm" c="dimmed" truncate>
                {fieldTypeNames[field.type]}
                {field.options.length > 0 && `: ${field.options.join(', ')}`}
              </Text>
            </div>
            {manage && (
              <Group gap={4} wrap="nowrap">
                <ActionIcon
                  aria-label={`Move ${field.label} up`}
                  disabled={index === 0}
                  onClick={() => move(index, -1)}
                >
                  <IconArrowUp size={18} />
                </ActionIcon>
                <ActionIcon
                  aria-label={`Move ${field.label} down`}
                  disabled={index === used.length - 1}
                  onClick={() => move(index, 1)}
                >
                  <IconArrowDown size={18} />
                </ActionIcon>
                <ActionIcon aria-label={`Edit ${field.label}`} onClick={() => setEditing(field)}>
                  <IconEdit size={18} />
                </ActionIcon>
                <ActionIcon aria-label={`Archive ${field.label}`} onClick={() => archive(field)}>
                  <IconArchive size={18} />
                </ActionIcon>
              </Group>
            )}
          </li>
        ))}
      </ul>
      {archived.length > 0 && (
        <section aria-labelledby="archived-title">
          <Title order={3} id="archived-title" fz="md">
            Archived
          </Title>
          <ul className={settings.members} aria-label="Archived fields">
            {archived.map((field) => (
              <li key={field.id} className={settings.member}>
                <div className={settings.memberName}>
                  <Text truncate dir="auto">
                    {field.label}
                  </Text>
                </div>
                <Badge variant="light" color="gray">
                  Archived
                </Badge>
                {manage && (
                  <Button
                    size="xs"
                    variant="default"
                    onClick={() => change.mutate([['restore_custom_field', { p_id: field.id }]])}
                  >
                    Bring back
                  </Button>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
      {editing && (
        <FieldDialog
          field={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(undefined)}
          onSaved={() => {
            setEditing(undefined);
            void refresh();
          }}
        />
      )}
    </Stack>
  );
}

interface FieldDialogProps {
  field?: CustomField;
  onClose: () => void;
  onSaved: () => void;
}

function FieldDialog({ field, onClose, onSaved }: FieldDialogProps) {
  const { orgId } = useOrg();
  const [label, setLabel] = useState(field?.label ?? '');
  const [type, setType] = useState<FieldType>(field?.type ?? 'text');
  const [options, setOptions] = useState<string[]>(field?.options ?? []);
  const save = useMutation({
    mutationFn: () =>
      field
        ? call('update_custom_field', {
            p_id: field.id,
            p_label: label.trim(),
            p_options: options,
            p_position: field.position,
          })
        : call('create_custom_field', {
            p_org_id: orgId,
            p_label: label.trim(),
            p_type: type,
            p_options: hasOptions(type) ? options : [],
          }),
    onSuccess: onSaved,
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={field ? 'Edit field' : 'Add field'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack>
          <TextInput
            label="Name"
            placeholder="Membership number"
            value={label}
            maxLength={80}
            onChange={(event) => setLabel(event.currentTarget.value)}
            data-autofocus
          />
          <Select
            label="Holds"
            description={field && 'Cannot be changed once there are values.'}
            data={fieldTypes.map((value) => ({ value, label: fieldTypeNames[value] }))}
            value={type}
            onChange={(value) => value && setType(value as FieldType)}
            allowDeselect={false}
            disabled={field !== undefined}
          />
          {hasOptions(type) && (
            <TagsInput
              label="Choices"
              description="Press Enter after each"
              value={options}
              onChange={setOptions}
              maxTags={100}
              acceptValueOnBlur
            />
          )}
          <Problem error={save.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              type="submit"
              loading={save.isPending}
              disabled={!label.trim() || (hasOptions(type) && options.length === 0)}
            >
              {field ? 'Save' : 'Add field'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
