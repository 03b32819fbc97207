import { Button, FileButton, Group, Progress, Text, TextInput } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { fileProblem, taken, uploadMedia } from '@/features/templates/editor/upload';
import { lastingLink } from '@/features/templates/lasting-link';
import { useOrg } from '@/features/tenancy/queries';
import { wordsFor } from '@/lib/errors';
import type { Variable } from '../model';
import { linkProblem } from './link-problem';

interface MediaVariableProps {
  kind: 'image' | 'video' | 'document';
  label: string;
  value: Variable | undefined;
  onChange: (value: Variable | undefined) => void;
  /** The file Meta looked at, when we hold it: sent unless another is chosen. */
  ownPath: string | undefined;
  asked: boolean;
}

interface FileValue {
  link: string;
  filename?: string;
}

const readValue = (value: Variable | undefined): FileValue | undefined => {
  if (value?.source !== 'static') return undefined;
  if (typeof value.value === 'string') return value.value ? { link: value.value } : undefined;
  const { link, filename } = (value.value ?? {}) as Partial<FileValue>;
  return typeof link === 'string' && link ? { link, filename } : undefined;
};

/** The picture, film or document of the header: the template's own, an uploaded one, or one that stands on the web. */
export function MediaVariable({ kind, label, value, onChange, ownPath, asked }: MediaVariableProps) {
  const { orgId } = useOrg();
  const file = readValue(value);
  const [typed, setTyped] = useState<string>();
  const [percent, setPercent] = useState(0);
  const [refusal, setRefusal] = useState<string>();
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const give = async (path: string) => {
    const link = await lastingLink(path);
    const filename = path.split('/').at(-1);
    onChange({ source: 'static', value: kind === 'document' ? { link, filename } : { link } });
    setTyped(undefined);
  };
  const failed = (cause: unknown) => {
    if (!(cause instanceof DOMException)) setRefusal(wordsFor(cause));
  };
  const own = useMutation({ mutationFn: give, onError: failed });
  const upload = useMutation({
    mutationFn: async (chosen: File) => {
      stop.current = new AbortController();
      const stored = await uploadMedia(orgId, chosen, setPercent, stop.current.signal);
      await give(stored.path);
    },
    onError: failed,
  });
  const { mutate: takeOwn, isIdle } = own;
  // Nobody should have to choose the file that the template was approved with.
  useEffect(() => {
    if (!file && ownPath && isIdle && typed === undefined) takeOwn(ownPath);
  }, [file, ownPath, isIdle, typed, takeOwn]);
  const isOurs = file?.link.includes('/storage/v1/') ?? false;
  const shown = typed ?? (isOurs ? '' : (file?.link ?? ''));
  const problem =
    refusal ?? (shown ? linkProblem(shown) : undefined) ?? (asked && !file ? 'Choose a file.' : undefined);
  return (
    <div>
      <Group gap="xs" align="center">
        <FileButton
          accept={taken[kind].types.join(',')}
          onChange={(chosen) => {
            if (!chosen) return;
            const wrong = fileProblem(kind, chosen);
            setRefusal(wrong);
            setPercent(0);
            if (!wrong) upload.mutate(chosen);
          }}
          inputProps={{ 'aria-label': `File for ${label}` }}
        >
          {(press) => (
            <Button
              variant="default"
              leftSection={<IconUpload size={16} />}
              loading={upload.isPending}
              {...press}
            >
              {file ? 'Choose another file' : 'Choose a file'}
            </Button>
          )}
        </FileButton>
        <Text size="sm" c="dimmed" role="status">
          {own.isPending
            ? 'Fetching the template’s own file…'
            : isOurs
              ? `Sends ${nameOf(file?.link ?? '')}`
              : taken[kind].words}
        </Text>
      </Group>
      {upload.isPending && <Progress value={percent} mt="sm" aria-label="Uploading" />}
      <TextInput
        mt="xs"
        type="url"
        aria-label={`Link of ${label}`}
        placeholder="or a public link, such as https://example.com/offer.jpg"
        value={shown}
        onChange={(event) => {
          const next = event.currentTarget.value.trim();
          setTyped(next);
          setRefusal(undefined);
          onChange(next && !linkProblem(next) ? { source: 'static', value: next } : undefined);
        }}
        error={problem}
      />
    </div>
  );
}

/** The file's own name, of a signed link to our storage. */
function nameOf(link: string): string {
  try {
    return decodeURIComponent(new URL(link).pathname.split('/').at(-1) ?? 'the file');
  } catch {
    return 'the file';
  }
}
