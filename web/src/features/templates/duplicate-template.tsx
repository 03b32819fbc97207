import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { Problem } from '@/components/problem';
import { describeError } from '@/lib/errors';
import { MAX_NAME, nameProblem, tidyName } from './editor/name';
import type { Template } from './model';
import { duplicateTemplate, templateQuery, templatesKey } from './queries';

/** A draft with the same words under another name. */
export function DuplicateTemplate({ template, onClose }: { template: Template; onClose: () => void }) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState(`${template.name.slice(0, MAX_NAME - 5)}_copy`);
  const [asked, setAsked] = useState(false);
  const copy = useMutation({
    mutationFn: () => duplicateTemplate(template.id, name),
    onSuccess: async (made) => {
      queryClient.setQueryData(templateQuery(made.org_id, made.id).queryKey, made);
      void queryClient.invalidateQueries({ queryKey: templatesKey(made.org_id) });
      onClose();
      await navigate({ to: '/templates/$templateId/edit', params: { templateId: made.id }, search: {} });
    },
  });
  const problem = nameProblem(name);
  const isTaken = copy.error !== null && describeError(copy.error).code === 'TEMPLATE_005';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (!problem) copy.mutate();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Duplicate “${template.name}”`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={submit} noValidate>
        <Stack>
          <Text>The copy is a draft. Change what you like, then submit it to Meta.</Text>
          <TextInput
            label="Name of the copy"
            data-autofocus
            value={name}
            maxLength={MAX_NAME}
            onChange={(event) => {
              setName(tidyName(event.currentTarget.value));
              copy.reset();
            }}
            error={isTaken ? 'You already have a template with this name and language.' : asked && problem}
          />
          {!isTaken && <Problem error={copy.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={copy.isPending}>
              Duplicate
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
