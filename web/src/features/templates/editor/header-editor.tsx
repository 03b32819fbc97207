import { NativeSelect, Text } from '@mantine/core';
import { useEditor, useField } from './context';
import classes from './editor.module.css';
import { FieldWarning } from './field-warning';
import { MediaField } from './media-field';
import { TextWithVariables } from './text-with-variables';
import type { HeaderKind } from './values';

const kinds: { value: HeaderKind; label: string }[] = [
  { value: 'none', label: 'None' },
  { value: 'text', label: 'Text' },
  { value: 'image', label: 'Image' },
  { value: 'video', label: 'Video' },
  { value: 'gif', label: 'GIF' },
  { value: 'document', label: 'Document' },
  { value: 'location', label: 'Location' },
];

const mediaLabels = {
  image: 'Sample image',
  video: 'Sample video',
  gif: 'Sample GIF',
  document: 'Sample document',
};

export function HeaderEditor() {
  const { values, change } = useEditor();
  const field = useField('header');
  const { header } = values;
  const { kind } = header;
  const choices = kind === 'other' ? [...kinds, { value: kind, label: 'As it is at Meta' }] : kinds;
  return (
    <div className={classes.group}>
      <NativeSelect
        {...field.props}
        label="Header"
        w={{ base: '100%', xs: 240 }}
        value={kind}
        onChange={(event) =>
          change({
            // What was uploaded fits one kind only.
            header: { kind: event.currentTarget.value as HeaderKind, text: header.text },
          })
        }
        data={choices}
      />
      <FieldWarning>{field.warning}</FieldWarning>
      {kind === 'text' && (
        <TextWithVariables
          field="header.text"
          place="header"
          label="Header text"
          text={header.text}
          onChange={(text) => change({ header: { ...header, text } })}
          limit={60}
          single
        />
      )}
      {(kind === 'image' || kind === 'video' || kind === 'gif' || kind === 'document') && (
        <>
          <MediaField
            key={kind}
            field="header.media"
            label={mediaLabels[kind]}
            kind={kind}
            media={header.media}
            onChange={(media) => change({ header: { ...header, media, handle: undefined } })}
          />
          <Text size="sm" c="dimmed">
            Meta looks at this file. When you send the template you can choose another one.
          </Text>
        </>
      )}
      {kind === 'location' && (
        <Text size="sm" c="dimmed">
          You give the place when you send it.
        </Text>
      )}
      {kind === 'other' && (
        <Text size="sm" c="dimmed">
          This kind of header can’t be edited here; it stays as it is.
        </Text>
      )}
    </div>
  );
}
