import { ActionIcon, Group, NativeSelect, Skeleton, Text, Textarea, TextInput } from '@mantine/core';
import { IconCheck, IconPencil, IconX } from '@tabler/icons-react';
import { type KeyboardEvent, type ReactNode, Suspense, useEffect, useId, useRef, useState } from 'react';
import { hasCode } from '@/lib/errors';
import { lazyPart } from '@/lib/lazy-part';
import classes from './contact-page.module.css';
import { fieldProblem, type Path, readPath, type Save, sameValue } from './edit-contact';
import type { Contact } from './model';

const ChoicesInput = lazyPart(async () => (await import('./choices-input')).ChoicesInput);

export type FieldKind =
  | { kind: 'text' | 'email' | 'tel' | 'number' | 'date' | 'notes' }
  | { kind: 'choice'; options: { value: string; label: string }[]; required?: boolean }
  | { kind: 'choices'; options: { value: string; label: string }[] }
  | { kind: 'boolean' };

interface InlineFieldProps {
  contact: Contact;
  path: Path;
  label: string;
  /** What is shown when it is not being edited; null for nothing there. */
  shown: ReactNode;
  as: FieldKind;
  /** Absent for who may only read. */
  save?: Save;
  check?: (value: string) => string | null;
  aside?: ReactNode;
}

type Draft = string | string[];

const draftOf = (value: unknown, as: FieldKind): Draft => {
  if (as.kind === 'choices') return Array.isArray(value) ? value.map(String) : [];
  return value === null || value === undefined ? '' : String(value);
};

export function writtenValue(draft: Draft, as: FieldKind): unknown {
  if (Array.isArray(draft)) return draft.length > 0 ? draft : null;
  const text = draft.trim();
  if (!text) return null;
  if (as.kind === 'boolean') return text === 'true';
  if (as.kind === 'number') return Number.isFinite(Number(text)) ? Number(text) : text;
  return text;
}

/** A fact that turns into its own field when clicked, and is saved when left. */
export function InlineField({ contact, path, label, shown, as, save, check, aside }: InlineFieldProps) {
  const id = useId();
  const opener = useRef<HTMLButtonElement>(null);
  const [editing, setEditing] = useState<{
    draft: Draft;
    base: unknown;
    expected: string;
    problem?: string;
  }>();
  const wasEditing = useRef(false);
  // A field that goes away may still report that it lost the focus.
  const isOpen = useRef(false);
  const edit = (next: { draft: Draft; base: unknown; expected: string; problem?: string }) => {
    isOpen.current = true;
    setEditing(next);
  };
  useEffect(() => {
    // The focus goes back to where it came from, but is not taken from where somebody went on to.
    if (wasEditing.current && !editing && document.activeElement === document.body) opener.current?.focus();
    wasEditing.current = editing !== undefined;
  }, [editing]);

  if (!editing || !save) {
    const empty = shown === null || shown === '' || shown === undefined;
    return (
      <div className={classes.fact}>
        <Text size="xs" c="dimmed" id={id}>
          {label}
        </Text>
        <Group gap={4} wrap="nowrap" align="flex-start">
          {save ? (
            <button
              ref={opener}
              type="button"
              className={classes.value}
              aria-label={`Edit ${label.toLowerCase()}`}
              aria-describedby={`${id}-value`}
              onClick={() => {
                const base = readPath(contact, path);
                edit({ draft: draftOf(base, as), base, expected: contact.updated_at });
              }}
            >
              <span
                id={`${id}-value`}
                className={classes.valueText}
                data-empty={empty || undefined}
                dir="auto"
              >
                {empty ? 'Add' : shown}
              </span>
              <IconPencil size={15} className={classes.pencil} aria-hidden />
            </button>
          ) : (
            <span className={classes.valueText} data-empty={empty || undefined} dir="auto">
              {empty ? '—' : shown}
            </span>
          )}
          {aside}
        </Group>
      </div>
    );
  }

  const close = () => {
    isOpen.current = false;
    setEditing(undefined);
  };
  const commit = (draft: Draft) => {
    if (!isOpen.current) return;
    const value = writtenValue(draft, as);
    if (sameValue(value, editing.base)) return close();
    const problem = typeof draft === 'string' ? check?.(draft.trim()) : null;
    if (problem) return setEditing({ ...editing, draft, problem });
    close();
    save({ path, label, value, base: editing.base, expected: editing.expected }).catch((error: unknown) => {
      // What two people changed is put before them by the page; anything else goes back into the field.
      if (!hasCode(error, 'CONTACT_006')) edit({ ...editing, draft, problem: fieldProblem(error) });
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      close();
    }
    const done = as.kind === 'notes' ? event.ctrlKey || event.metaKey : true;
    if (event.key === 'Enter' && done && as.kind !== 'choices' && !event.nativeEvent.isComposing) {
      event.preventDefault();
      commit(editing.draft);
    }
  };
  const common = {
    'aria-label': label,
    error: editing.problem,
    autoFocus: true,
    onKeyDown,
    flex: 1,
  } as const;
  const text = typeof editing.draft === 'string' ? editing.draft : '';
  const change = (draft: Draft) => setEditing({ ...editing, draft, problem: undefined });
  return (
    <div className={classes.fact}>
      <Text size="xs" c="dimmed" mb={2} aria-hidden>
        {label}
      </Text>
      <Group gap={4} wrap="nowrap" align="flex-start">
        {as.kind === 'notes' ? (
          <Textarea
            {...common}
            value={text}
            autosize
            minRows={3}
            maxRows={14}
            maxLength={10_000}
            onChange={(event) => change(event.currentTarget.value)}
            onBlur={() => commit(text)}
          />
        ) : as.kind === 'choice' || as.kind === 'boolean' ? (
          <NativeSelect
            {...common}
            value={text}
            data={
              as.kind === 'boolean'
                ? [
                    { value: '', label: 'Not known' },
                    { value: 'true', label: 'Yes' },
                    { value: 'false', label: 'No' },
                  ]
                : [...(as.required ? [] : [{ value: '', label: 'None' }]), ...as.options]
            }
            onChange={(event) => change(event.currentTarget.value)}
            onBlur={() => commit(text)}
          />
        ) : as.kind === 'choices' ? (
          <Suspense fallback={<Skeleton height={36} />}>
            <ChoicesInput
              label={label}
              options={as.options}
              value={Array.isArray(editing.draft) ? editing.draft : []}
              onChange={change}
              error={editing.problem}
            />
          </Suspense>
        ) : (
          <TextInput
            {...common}
            type={as.kind === 'number' ? 'text' : as.kind}
            inputMode={as.kind === 'number' ? 'decimal' : undefined}
            value={text}
            onChange={(event) => change(event.currentTarget.value)}
            onBlur={() => commit(text)}
          />
        )}
        {/* Before the field loses the focus and saves what is being dropped. */}
        <ActionIcon
          aria-label={`Save ${label.toLowerCase()}`}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => commit(editing.draft)}
        >
          <IconCheck size={18} />
        </ActionIcon>
        <ActionIcon
          aria-label={`Cancel ${label.toLowerCase()}`}
          onMouseDown={(event) => event.preventDefault()}
          onClick={close}
        >
          <IconX size={18} />
        </ActionIcon>
      </Group>
    </div>
  );
}
