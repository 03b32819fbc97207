import { Button, Group, Progress, Stack, Text, Title } from '@mantine/core';
import { IconFileSpreadsheet, IconUpload } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type DragEvent, useEffect, useRef, useState } from 'react';
import { Problem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { call } from '@/features/contacts/api';
import { useOrg } from '@/features/tenancy/queries';
import type { Job } from '../model';
import { jobsKey } from '../queries';
import classes from './import.module.css';
import { fileProblem } from './mapping';
import { uploadImport } from './upload';

export function ImportUpload() {
  const { orgId } = useOrg();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const stop = useRef<AbortController>(undefined);
  const [over, setOver] = useState(false);
  const [refused, setRefused] = useState<string>();
  const [percent, setPercent] = useState(0);
  useEffect(() => () => stop.current?.abort(), []);

  const upload = useMutation({
    mutationFn: async (file: File) => {
      stop.current = new AbortController();
      const path = await uploadImport(orgId, file, setPercent, stop.current.signal);
      return call<Job>('create_import', { p_org_id: orgId, p_path: path, p_file_name: file.name });
    },
    onSuccess: (job) => {
      queryClient.setQueryData([...jobsKey(orgId), job.id], job);
      void navigate({ to: '/contacts/import', search: { job: job.id }, replace: true });
    },
  });
  const take = (files: FileList | null) => {
    const file = files?.[0];
    if (!file || upload.isPending) return;
    const problem = files.length > 1 ? 'One file at a time, please.' : fileProblem(file);
    setRefused(problem ?? undefined);
    if (problem) return;
    setPercent(0);
    upload.mutate(file);
  };
  const onDrag = (event: DragEvent) => {
    event.preventDefault();
    setOver(event.type === 'dragover' || event.type === 'dragenter');
  };
  const stopped = upload.error instanceof DOMException && upload.error.name === 'AbortError';
  return (
    <Stack>
      <Title order={2} fz="xl">
        Import contacts
      </Title>
      <Text c="dimmed" maw={620}>
        Bring a CSV or Excel file. Next you say which column holds what, and see the first rows as they will
        be. Nothing is imported before you say so.
      </Text>
      <section
        aria-label="File to import"
        className={classes.drop}
        data-over={over || undefined}
        onDragEnter={onDrag}
        onDragOver={onDrag}
        onDragLeave={onDrag}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          take(event.dataTransfer.files);
        }}
      >
        {upload.isPending ? (
          <Stack w="100%" maw={360} align="center">
            <IconUpload size={32} stroke={1.5} aria-hidden />
            <Text fw={600} truncate maw="100%">
              {upload.variables.name}
            </Text>
            <Progress value={percent} w="100%" aria-label="Uploading" />
            <Group>
              <Text c="dimmed">{percent} %</Text>
              <Button size="xs" variant="default" onClick={() => stop.current?.abort()}>
                Cancel
              </Button>
            </Group>
          </Stack>
        ) : (
          <>
            <IconFileSpreadsheet size={40} stroke={1.3} aria-hidden />
            <Text fw={600}>Drop your file here</Text>
            <Button onClick={() => input.current?.click()}>Choose a file</Button>
            <Text size="sm" c="dimmed">
              CSV or XLSX, up to 10 MB
            </Text>
          </>
        )}
        <input
          ref={input}
          type="file"
          hidden
          accept=".csv,.tsv,.txt,.xlsx"
          aria-label="File to import"
          onChange={(event) => {
            take(event.currentTarget.files);
            // The same file again is a change, too.
            event.currentTarget.value = '';
          }}
        />
      </section>
      {refused && (
        <Text c="red" role="alert">
          {refused}
        </Text>
      )}
      {!stopped && <Problem error={upload.error} />}
      <Text size="sm" c="dimmed">
        Earlier ones are under <TextLink to="/contacts/jobs">Imports and exports</TextLink>.
      </Text>
    </Stack>
  );
}
