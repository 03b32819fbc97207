import { Button, Group, Progress, Text } from '@mantine/core';
import { IconFile, IconUpload } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type DragEvent, useEffect, useRef, useState } from 'react';
import { wordsFor } from '@/lib/errors';
import { mediaLinkQuery } from '../media';
import { fieldId, useEditor, useField } from './context';
import classes from './editor.module.css';
import { FieldWarning } from './field-warning';
import { fileProblem, type MediaKind, taken, uploadMedia } from './upload';
import type { MediaFile } from './values';

interface MediaFieldProps {
  field: string;
  label: string;
  kind: MediaKind;
  media: MediaFile | undefined;
  onChange: (media: MediaFile | undefined) => void;
}

/** The sample file of a header: chosen or dropped, sent at once, kept in our storage. */
export function MediaField({ field, label, kind, media, onChange }: MediaFieldProps) {
  const { orgId } = useEditor();
  const { error, warning } = useField(field);
  const queryClient = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const [percent, setPercent] = useState(0);
  const [refusal, setRefusal] = useState<string>();
  const [isOver, setOver] = useState(false);
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const upload = useMutation({
    mutationFn: (file: File) => {
      stop.current = new AbortController();
      return uploadMedia(orgId, file, setPercent, stop.current.signal);
    },
    onSuccess: (stored, file) => {
      // Seen at once, without asking our storage for what is in hand.
      queryClient.setQueryData(mediaLinkQuery(stored.path).queryKey, URL.createObjectURL(file));
      onChange(stored);
    },
    onError: (cause) => {
      if (!(cause instanceof DOMException)) setRefusal(wordsFor(cause));
    },
  });
  const take = (file: File | undefined) => {
    if (!file) return;
    const problem = fileProblem(kind, file);
    setRefusal(problem);
    setPercent(0);
    if (!problem) upload.mutate(file);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files[0]);
  };
  const problem = refusal ?? error;
  return (
    <div>
      <Text fw={500} size="sm" mb={4}>
        {label}
      </Text>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is an extra; the button does the same */}
      <div
        className={classes.drop}
        data-over={isOver || undefined}
        data-problem={problem ? true : undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <input
          ref={input}
          type="file"
          hidden
          accept={taken[kind].types.join(',')}
          aria-label={label}
          onChange={(event) => {
            take(event.currentTarget.files?.[0]);
            // The same file may be chosen again after a mistake.
            event.currentTarget.value = '';
          }}
        />
        <div className={classes.dropLine}>
          <Group gap="xs" wrap="nowrap" style={{ minWidth: 0, flex: '1 1 160px' }}>
            {media && <IconFile size={20} aria-hidden style={{ flex: 'none' }} />}
            <Text
              size="sm"
              c={media ? undefined : 'dimmed'}
              truncate={media !== undefined}
              title={media?.path.split('/').at(-1)}
            >
              {upload.isPending
                ? 'Uploading…'
                : (media?.path.split('/').at(-1) ?? `Drop a file here, or choose one: ${taken[kind].words}.`)}
            </Text>
          </Group>
          <Button
            id={fieldId(field)}
            variant="default"
            leftSection={<IconUpload size={16} />}
            loading={upload.isPending}
            onClick={() => input.current?.click()}
            aria-describedby={`${fieldId(field)}-problem`}
          >
            {media ? 'Replace' : 'Choose file'}
          </Button>
        </div>
        {upload.isPending && <Progress value={percent} mt="sm" aria-label="Uploading" />}
      </div>
      <Text
        id={`${fieldId(field)}-problem`}
        size="sm"
        c="var(--mantine-color-error)"
        role={problem ? 'alert' : undefined}
      >
        {problem}
      </Text>
      <FieldWarning>{warning}</FieldWarning>
    </div>
  );
}
