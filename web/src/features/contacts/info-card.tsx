import { ActionIcon, Button, CopyButton, Group, SimpleGrid, Text, TextInput, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import { emailProblem } from '@/features/auth/fields';
import { hasCode } from '@/lib/errors';
import { longDate } from '@/lib/time';
import classes from './contact-page.module.css';
import { fieldProblem, readPath, type Save, sameValue } from './edit-contact';
import { InlineField } from './inline-field';
import { type Address, addressParts, type Contact, choices, stageNames, wordFor } from './model';

export function InfoCard({ contact, save }: { contact: Contact; save?: Save }) {
  const shared = { contact, save };
  return (
    <section className={classes.card} aria-label="Details">
      <div className={classes.facts}>
        <InlineField
          {...shared}
          path="full_name"
          label="Name"
          shown={contact.full_name}
          as={{ kind: 'text' }}
        />
        <InlineField
          {...shared}
          path="phone"
          label="Phone"
          shown={contact.phone}
          as={{ kind: 'tel' }}
          aside={<Copy value={contact.phone} label="phone" />}
        />
        <InlineField
          {...shared}
          path="email"
          label="E-mail"
          shown={contact.email}
          as={{ kind: 'email' }}
          check={(value) => (value ? emailProblem(value) : null)}
          aside={<Copy value={contact.email} label="e-mail" />}
        />
        <InlineField
          {...shared}
          path="lifecycle_stage"
          label="Stage"
          shown={wordFor(stageNames, contact.lifecycle_stage)}
          as={{ kind: 'choice', options: choices(stageNames), required: true }}
        />
        <InlineField
          {...shared}
          path="company"
          label="Company"
          shown={contact.company}
          as={{ kind: 'text' }}
        />
        <InlineField
          {...shared}
          path="job_title"
          label="Job title"
          shown={contact.job_title}
          as={{ kind: 'text' }}
        />
        <InlineField
          {...shared}
          path="birthday"
          label="Birthday"
          shown={contact.birthday ? longDate(`${contact.birthday}T12:00:00`) : null}
          as={{ kind: 'date' }}
        />
        <AddressField contact={contact} save={save} />
      </div>
    </section>
  );
}

function Copy({ value, label }: { value: string | null; label: string }) {
  if (!value) return null;
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'Copied' : 'Copy'}>
          <ActionIcon size={28} aria-label={`Copy ${label}`} onClick={copy}>
            {copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

const partNames: Record<(typeof addressParts)[number], string> = {
  street: 'Street',
  city: 'City',
  state: 'State',
  zip: 'Postcode',
  country: 'Country',
};

const addressText = (address: Address | null): string =>
  addressParts
    .map((part) => address?.[part])
    .filter(Boolean)
    .join(', ');

/** Five fields that are one: saved together, so that no half address is left. */
function AddressField({ contact, save }: { contact: Contact; save?: Save }) {
  const [editing, setEditing] = useState<{
    draft: Address;
    base: unknown;
    expected: string;
    problem?: string;
  }>();
  const shown = addressText(contact.address);
  if (!editing || !save)
    return (
      <div className={classes.fact}>
        <Text size="xs" c="dimmed">
          Address
        </Text>
        {save ? (
          <button
            type="button"
            className={classes.value}
            aria-label={`Edit address${shown ? `: ${shown}` : ''}`}
            onClick={() =>
              setEditing({
                draft: contact.address ?? {},
                base: readPath(contact, 'address'),
                expected: contact.updated_at,
              })
            }
          >
            <span className={classes.valueText} data-empty={!shown || undefined} dir="auto">
              {shown || 'Add'}
            </span>
          </button>
        ) : (
          <span className={classes.valueText} dir="auto">
            {shown || '—'}
          </span>
        )}
      </div>
    );
  const commit = () => {
    const parts = Object.entries(editing.draft)
      .map(([part, value]) => [part, value?.trim()])
      .filter(([, value]) => value);
    const value = parts.length > 0 ? Object.fromEntries(parts) : null;
    setEditing(undefined);
    if (sameValue(value, editing.base)) return;
    save({ path: 'address', label: 'Address', value, base: editing.base, expected: editing.expected }).catch(
      (error: unknown) => {
        if (!hasCode(error, 'CONTACT_006')) setEditing({ ...editing, problem: fieldProblem(error) });
      },
    );
  };
  return (
    <form
      className={classes.wideFact}
      onSubmit={(event) => {
        event.preventDefault();
        commit();
      }}
    >
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs" verticalSpacing="xs">
        {addressParts.map((part, index) => (
          <TextInput
            key={part}
            label={partNames[part]}
            autoFocus={index === 0}
            value={editing.draft[part] ?? ''}
            onChange={(event) =>
              setEditing({
                ...editing,
                draft: { ...editing.draft, [part]: event.currentTarget.value },
              })
            }
          />
        ))}
      </SimpleGrid>
      {editing.problem && (
        <Text c="red" size="sm" role="alert" mt={4}>
          {editing.problem}
        </Text>
      )}
      <Group mt="xs" gap="xs">
        <Button type="submit" size="xs">
          Save address
        </Button>
        <Button size="xs" variant="default" onClick={() => setEditing(undefined)}>
          Cancel
        </Button>
      </Group>
    </form>
  );
}
