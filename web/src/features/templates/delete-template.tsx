import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '@/components/problem';
import { describeError } from '@/lib/errors';
import { tellDone } from '@/lib/tell';
import { isAtMeta, type Template } from './model';
import { deleteTemplate, templatesKey } from './queries';

interface DeleteTemplateProps {
  template: Template;
  onClose: () => void;
  onDeleted?: () => void;
}

interface User {
  id: string;
  name: string;
  kind?: string;
}

/** Who refuses (TEMPLATE_008). */
export function readUsers(error: unknown): User[] | undefined {
  const { code, details } = describeError(error);
  if (code !== 'TEMPLATE_008') return undefined;
  return Array.isArray(details.used_by)
    ? (details.used_by as Partial<User>[]).filter(
        (user): user is User => typeof user.id === 'string' && typeof user.name === 'string',
      )
    : [];
}

/** Asks, and has the name typed when the template also goes at Meta, where nothing brings it back. */
export function DeleteTemplate({ template, onClose, onDeleted }: DeleteTemplateProps) {
  const queryClient = useQueryClient();
  const [typed, setTyped] = useState('');
  const atMeta = isAtMeta(template);
  const remove = useMutation({
    mutationFn: () => deleteTemplate(template.id),
    onSuccess: async () => {
      onClose();
      onDeleted?.();
      tellDone(
        atMeta
          ? `“${template.name}” is deleted here, and at Meta in a moment.`
          : `“${template.name}” is deleted.`,
      );
      await queryClient.invalidateQueries({ queryKey: templatesKey(template.org_id) });
    },
  });
  const users = remove.error ? readUsers(remove.error) : undefined;
  const mayGo = !atMeta || typed.trim() === template.name;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (mayGo && !remove.isPending) remove.mutate();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={users ? `“${template.name}” is still needed` : `Delete “${template.name}”?`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={submit}>
        <Stack>
          {users ? (
            <Alert color="yellow" variant="light" role="alert">
              <Text size="sm">
                {users.length > 0
                  ? 'Stop or delete these first, then delete it:'
                  : 'A campaign still needs it. Stop or delete that first.'}
              </Text>
              <ul style={{ margin: '4px 0 0', paddingInlineStart: 18 }}>
                {users.map((user) => (
                  <li key={user.id}>{user.name}</li>
                ))}
              </ul>
            </Alert>
          ) : atMeta ? (
            <>
              <Text>
                It goes here and at Meta, for good.{' '}
                {template.status === 'approved' && 'Its name can’t be used again for 30 days. '}
                Messages already sent stay as they are.
              </Text>
              <TextInput
                label={`Type ${template.name} to delete it`}
                data-autofocus
                autoComplete="off"
                spellCheck={false}
                value={typed}
                onChange={(event) => setTyped(event.currentTarget.value)}
              />
              <Problem error={remove.error} />
            </>
          ) : (
            <>
              <Text>The template goes for good. Meta hasn’t seen it.</Text>
              <Problem error={remove.error} />
            </>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {users ? 'Close' : 'Keep it'}
            </Button>
            {!users && (
              <Button type="submit" color="red" loading={remove.isPending} disabled={!mayGo}>
                Delete template
              </Button>
            )}
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
